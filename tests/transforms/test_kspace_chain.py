"""Tests of the k-space transforms together, from magnitude volumes to zero-filled images."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import Compose
from torch import Tensor

from mri_attention.metrics import normalized_mean_square_error
from mri_attention.transforms import RandSmoothPhased, RicianNoised, ScaleByQuantiled, UndersampleKspaced, ZeroFilledd
from mri_attention.transforms.masks import (
    EquispacedMask,
    GaussianMask,
    KspaceMask,
    PoissonDiskMask,
    RadialMask,
    RandomMask,
    SpiralMask,
    UniformMask,
)

MASKS = [RandomMask, UniformMask, EquispacedMask, RadialMask, SpiralMask, GaussianMask, PoissonDiskMask]


def volume() -> MetaTensor:
    """A bright ellipse with structure, in axial slices ``(1, x, y, z)``."""
    x, y = torch.meshgrid(torch.linspace(-1, 1, 48), torch.linspace(-1, 1, 40), indexing="ij")
    inside = (x / 0.7) ** 2 + (y / 0.8) ** 2 < 1
    slices = [100 * inside * (2 + torch.cos(9 * x + z) * torch.cos(7 * y)) for z in range(3)]
    return MetaTensor(torch.stack(slices, -1)[None], affine=torch.diag(torch.tensor([1.0, 1, 4, 1])))


def chain(mask: KspaceMask, level: float = 0.1) -> Compose:
    return Compose(
        [
            RandSmoothPhased("image"),
            RicianNoised("image", level=level),
            UndersampleKspaced("image", mask, "kspace"),
            ZeroFilledd("kspace", "zero_filled", axes=(1, 2)),
            ScaleByQuantiled(["zero_filled", "kspace"], "zero_filled"),
        ]
    )


def run(mask: KspaceMask, level: float = 0.1, seed: int = 0) -> dict[str, Any]:
    return chain(mask, level).set_random_state(seed)({"image": volume()})


@pytest.mark.parametrize("make", MASKS)
def test_less_acceleration_is_less_error_and_none_gives_the_image(make: Any) -> None:
    def error(acceleration: float) -> float:
        out = run(make(acceleration, 0.04, axes=(1, 2)), 0.0)
        scale = out["zero_filled"].applied_operations[-1]["extra_info"]["scale"]
        return normalized_mean_square_error(scale * out["zero_filled"].numpy(), volume().numpy())

    assert error(1) < 1e-10
    assert error(2) < error(8)


@pytest.mark.parametrize("make", MASKS)
def test_shapes_affine_and_reported_fraction(make: Any) -> None:
    out = run(make(4, 0.04, axes=(1, 2), slice_axis=3))
    assert out["zero_filled"].shape == out["kspace"].shape == (1, 48, 40, 3)
    assert out["zero_filled"].dtype == torch.float32
    assert out["kspace"].dtype == torch.complex64
    torch.testing.assert_close(out["zero_filled"].affine, volume().affine)
    assert out["mask"].double().mean().item() == pytest.approx(0.25, rel=0.02)


def test_seed_fixes_all_that_is_drawn_also_in_workers() -> None:
    def first(seed: int) -> Tensor:
        torch.manual_seed(seed)
        loader = DataLoader(Dataset([{"image": volume()}], chain(RandomMask(3, axes=(1, 2)))), num_workers=1)
        return next(iter(loader))["zero_filled"].as_tensor()

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))
    assert torch.equal(run(RadialMask(4, axes=(1, 2)))["kspace"], run(RadialMask(4, axes=(1, 2)))["kspace"])

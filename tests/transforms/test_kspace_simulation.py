"""Tests of simulated k-space, its masks by name and coil sensitivities."""

import numpy as np
import pytest
import torch

from mri_attention.operators import image_to_kspace, kspace_to_image, low_resolution_coil_maps
from mri_attention.transforms import RandSmoothPhase, RicianNoise, SimulateKspaced
from mri_attention.transforms.masks import MASKS, RandomMask, mask_by_name, mask_mixture

IMAGE = torch.rand(1, 3, 32, 24, generator=torch.Generator().manual_seed(0))


def test_full_mask_gives_the_image_with_its_phase() -> None:
    out = SimulateKspaced("label", RandomMask(1, 0.0), phase=RandSmoothPhase())({"label": IMAGE})
    torch.testing.assert_close(kspace_to_image(out["image"]), out["label"])
    torch.testing.assert_close(out["label"].abs(), IMAGE)
    assert out["sampled"].all()


def test_noise_is_in_kspace_and_not_in_the_target() -> None:
    out = SimulateKspaced("label", RandomMask(2), noise=RicianNoise(0.1), seed=0)({"label": IMAGE})
    assert not torch.equal(
        out["image"][..., out["sampled"][0, 0, 0]], image_to_kspace(IMAGE)[..., out["sampled"][0, 0, 0]]
    )
    torch.testing.assert_close(out["label"].abs(), IMAGE)
    assert not out["image"][..., ~out["sampled"][0, 0, 0]].any()


def test_seed_fixes_everything_and_none_goes_on() -> None:
    for seed, is_equal in ((3, True), (None, False)):
        transform = SimulateKspaced("label", RandomMask(4), seed=seed)
        first, second = (transform({"label": IMAGE})["sampled"] for _ in range(2))
        assert torch.equal(first, second) is is_equal


def test_measured_kspace_is_left_alone() -> None:
    data = {"label": IMAGE, "image": "measured"}
    assert SimulateKspaced("label", RandomMask(4))(data) == data


@pytest.mark.parametrize("name", MASKS)
def test_masks_by_name_have_their_acceleration(name: str) -> None:
    mask = mask_by_name(name, 6)
    mask.set_random_state(0)
    fraction = mask((1, 1, 192, 160)).float().mean().item()
    assert fraction == pytest.approx(1 / 6, rel=0.03)


def test_fastmri_centers_are_the_default_of_columns() -> None:
    assert mask_by_name("random", (4, 8)).choices == ((4.0, 0.08), (8.0, 0.04))
    assert mask_by_name("random", 4, 0.1).choices == ((4.0, 0.1),)
    assert len(mask_mixture(["random", "radial"], [3, 6])) == 2


def test_unknown_mask_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mask must be one of random, .* got 'cartesian'"):
        mask_by_name("cartesian")


def test_coil_maps_are_those_of_smooth_coils() -> None:
    x = torch.linspace(-1, 1, 64)
    coils = torch.stack([torch.exp(-((x - c) ** 2)) for c in (-0.8, 0.8)])[:, None, :].expand(2, 64, 64) + 0j
    true = coils / torch.linalg.vector_norm(coils, dim=0)
    found = low_resolution_coil_maps(image_to_kspace(coils), coil_axis=0, share=0.3)
    inside = (slice(None), slice(12, 52), slice(12, 52))
    np.testing.assert_allclose(found[inside].abs(), true[inside].abs(), atol=0.05)

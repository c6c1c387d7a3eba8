"""Tests of transforms.rotation: what turns together must stay consistent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.operators import DipoleConvolution, Vector, b0_direction_from_affine
from mri_attention.operators.dipole_convolution import Kernel
from mri_attention.transforms import RandRotateWithFieldd

VOXEL_SIZE = (1.0, 1.0, 2.0)


def smooth_map() -> MetaTensor:
    """Two soft balls of 5 mm off the center, on anisotropic voxels."""
    shape = (40, 40, 20)
    axes = [(torch.arange(n) - (n - 1) / 2) * size for n, size in zip(shape, VOXEL_SIZE, strict=True)]
    r = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    chi = sum(
        sign * torch.exp(-((r - torch.tensor(center)[:, None, None, None]) ** 2).sum(0) / 32)
        for sign, center in ((1.0, (6.0, 0.0, 3.0)), (-0.7, (-5.0, 4.0, -2.0)))
    )
    return MetaTensor(chi[None], affine=torch.diag(torch.tensor([*VOXEL_SIZE, 1.0])))


def field_of(chi: Tensor, b0_direction: Vector = (0.0, 0.0, 1.0), kernel: Kernel = "image") -> Tensor:
    convolve = DipoleConvolution(chi.shape[1:], VOXEL_SIZE, b0_direction, kernel=kernel)
    return convolve(chi.as_subclass(Tensor)[None])[0]


def data() -> dict[str, Tensor]:
    chi = smooth_map()
    return {
        "chi": chi,
        "field": MetaTensor(field_of(chi, kernel="kspace"), affine=chi.affine),
        "mask": (chi.abs() > 0.1).float(),
    }


def rotated(axis: tuple[float, ...] | None, seed: int = 0) -> dict[str, Tensor]:
    rotate = RandRotateWithFieldd(["chi", "field", "mask"], 30.0, axis, ["bilinear", "bilinear", "nearest"])
    return rotate.set_random_state(seed)(data())


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 2.0, 1.0), None])
def test_rotated_field_is_that_of_the_rotated_map(axis: tuple[float, ...] | None) -> None:
    out = rotated(axis)
    field = field_of(out["chi"], out["b0_direction"])
    inner = (slice(None), slice(8, -8), slice(8, -8), slice(4, -4))
    error = (field - out["field"].as_tensor())[inner].norm() / field[inner].norm()
    assert error < 0.06
    if axis != (0.0, 0.0, 1.0):  # about B0 itself, the direction stays
        wrong = field_of(out["chi"])
        assert (wrong - out["field"].as_tensor())[inner].norm() / field[inner].norm() > 3 * error


def test_affine_tells_the_same_direction_and_voxel_size() -> None:
    out = rotated(None, seed=0)
    direction = b0_direction_from_affine(out["chi"].affine)
    torch.testing.assert_close(direction, out["b0_direction"], atol=1e-5, rtol=0)
    assert out["b0_direction"][2] < 0.999
    np.testing.assert_allclose(np.linalg.norm(out["chi"].affine[:3, :3], axis=0), VOXEL_SIZE, atol=1e-5)


def test_given_direction_is_turned() -> None:
    values = data() | {"b0_direction": torch.tensor([0.0, 1.0, 0.0])}
    out = RandRotateWithFieldd("chi", 90.0, (0.0, 0.0, 1.0)).set_random_state(4)(values)
    angle = torch.atan2(-out["b0_direction"][0], out["b0_direction"][1])
    assert 0.1 < abs(angle) < np.pi / 2
    torch.testing.assert_close(out["b0_direction"].norm(), torch.tensor(1.0))


def test_content_turns_as_the_direction_does() -> None:
    """A point on the axis of B0 stays on it."""
    rotate = RandRotateWithFieldd("point", 80.0, (0.0, 0.0, 1.0)).set_random_state(0)
    values = torch.zeros(1, 41, 41, 5)
    values[0, 34:37, 19:22, 2] = 1
    out = rotate({"point": MetaTensor(values, affine=torch.eye(4)), "b0_direction": torch.tensor([1.0, 0, 0])})
    place = (out["point"].as_tensor()[0] * 1.0).nonzero().float()
    weights = out["point"].as_tensor()[0][out["point"].as_tensor()[0] != 0]
    center = (place * weights[:, None]).sum(0) / weights.sum() - torch.tensor([20.0, 20, 2])
    torch.testing.assert_close(center / center.norm(), out["b0_direction"], atol=0.02, rtol=0)


def test_mask_stays_a_mask() -> None:
    assert rotated(None)["mask"].unique().tolist() == [0.0, 1.0]


def test_is_fixed_by_its_seed() -> None:
    first, second = rotated(None, seed=5), rotated(None, seed=5)
    torch.testing.assert_close(first["chi"].as_tensor(), second["chi"].as_tensor(), rtol=0, atol=0)
    assert not torch.equal(first["chi"].as_tensor(), rotated(None, seed=6)["chi"].as_tensor())


def test_may_leave_all_alone_and_still_tells_the_direction() -> None:
    out = RandRotateWithFieldd("chi", prob=0.0)(data())
    torch.testing.assert_close(out["chi"].as_tensor(), smooth_map().as_tensor())
    torch.testing.assert_close(out["b0_direction"], torch.tensor([0, 0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("options", [{"max_angle": -1.0}, {"axis": (0.0, 0.0, 0.0)}])
def test_rejects_impossible_rotations(options: dict) -> None:
    with pytest.raises(ValueError, match="max_angle must not be negative and axis not zero"):
        RandRotateWithFieldd("chi", **options)


def test_rejects_images_without_affine() -> None:
    with pytest.raises(ValueError, match="an image without affine needs both"):
        RandRotateWithFieldd("chi")({"chi": torch.zeros(1, 4, 4, 4)})

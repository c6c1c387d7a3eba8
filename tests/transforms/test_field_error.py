"""Tests of transforms.field_error."""

from __future__ import annotations

import torch
from torch import Tensor

from mri_attention.operators.dipole_convolution import DipoleConvolution
from mri_attention.transforms import AppendFieldErrord

SIZE, DIRECTION = torch.tensor([1.0, 1.0, 2.0]), torch.tensor([0.0, 0.6, 0.8])
SHAPE = (9, 8, 7)


def case() -> dict[str, Tensor]:
    """A map in a mask with its own field, which it explains."""
    mask = torch.zeros(1, *SHAPE)
    mask[:, 2:-2, 2:-2, 2:-2] = 1
    chi = torch.randn(1, *SHAPE, generator=torch.Generator().manual_seed(0)) * mask
    field = DipoleConvolution(SHAPE, SIZE, DIRECTION)(chi[None])[0] * mask
    image = torch.cat([field, chi])
    return {"image": image, "mask": mask, "voxel_size": SIZE, "b0_direction": DIRECTION, "noise": torch.tensor(0.25)}


def test_a_map_that_explains_the_field_has_no_error() -> None:
    data = case()
    image = AppendFieldErrord()(data)["image"]
    assert torch.equal(image[:2], data["image"])
    torch.testing.assert_close(image[2], torch.zeros(SHAPE), atol=1e-6, rtol=0)


def test_the_error_is_minus_the_gradient_of_the_squared_error_of_the_field() -> None:
    data = case()
    chi = torch.zeros(1, 1, *SHAPE, requires_grad=True)
    field = DipoleConvolution(SHAPE, SIZE, DIRECTION)(chi * data["mask"])
    (0.5 * ((data["image"][None, :1] - field) * data["mask"]).square().sum()).backward()
    data["image"] = torch.cat([data["image"][:1], torch.zeros(1, *SHAPE)])
    assert chi.grad is not None
    torch.testing.assert_close(AppendFieldErrord()(data)["image"][2], -chi.grad[0, 0])


def test_noise_fills_the_mask_as_a_number_or_as_a_map() -> None:
    data = case()
    inside = data["mask"][0] > 0
    for noise in (data["noise"], torch.full((1, *SHAPE), 0.25)):
        level = AppendFieldErrord()(data | {"noise": noise})["image"][3]
        assert (level[inside] == 0.25).all()
        assert not level[~inside].any()


def test_a_field_alone_stays_alone() -> None:
    data = case()
    data["image"] = data["image"][:1]
    assert torch.equal(AppendFieldErrord()(data)["image"], data["image"])

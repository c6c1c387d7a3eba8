"""Tests of operators.slice_axis."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.operators import slice_axis
from mri_attention.operators.slice_axis import is_slice_axis_doubtful, slice_axis_by_guide

SIZES = {
    "isotropic": ((1, 1, 1), 2),
    "isotropic, 2 mm": ((2, 2, 2), 2),
    "isotropic but for rounding": ((1.01, 1, 1), 2),
    "thick axial": ((0.6, 0.6, 3.3), 2),
    "thick sagittal": ((3.3, 0.6, 0.6), 0),
    "thick coronal": ((1, 3, 1), 1),
    "thick, pixels not square": ((0.47, 0.5, 3), 2),
    "a little thicker": ((0.98, 0.98, 1), 2),
    "a little thicker, coronal": ((0.8, 0.9, 0.8), 1),
    "a little thicker, sagittal": ((1.1, 1, 1), 0),
    "thinner than pixels": ((4.8, 4.8, 3), 2),
    "thinner than pixels that are not square": ((4.0, 4.8, 3), 2),
    "thinner sagittal": ((1, 2, 2), 0),
}


def grid(*sizes: float) -> Tensor:
    return torch.diag(torch.tensor([*sizes, 1.0], dtype=torch.float64))


@pytest.mark.parametrize(("sizes", "axis"), SIZES.values(), ids=SIZES.keys())
def test_slices_lie_across_the_squarest_pixels(sizes: tuple[float, ...], axis: int) -> None:
    assert slice_axis(grid(*sizes)) == axis


@pytest.mark.parametrize(("sizes", "axis"), SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("factor", [2, 4])
def test_low_resolution_has_the_same_slices(sizes: tuple[float, ...], axis: int, factor: int) -> None:
    assert slice_axis(grid(*(size if i == axis else factor * size for i, size in enumerate(sizes)))) == axis


def test_isotropic_voxels_give_axial_slices_in_any_orientation() -> None:
    affine = torch.tensor([[0, 0, 1.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=torch.float64)
    assert slice_axis(affine) == 1


def test_order_and_sign_of_axes_do_not_matter() -> None:
    affine = grid(0.6, 0.6, 3.3)[:, [2, 0, 1, 3]] * torch.tensor([-1.0, 1, -1, 1])
    assert slice_axis(affine) == 0


def test_slices_lie_along_the_axis_that_image_and_guide_have_in_common() -> None:
    assert slice_axis(grid(4.8, 4.0, 5.0)) != 2
    assert slice_axis_by_guide(grid(4.8, 4.0, 5.0), grid(1.2, 1.0, 5.0)) == 2
    turned = grid(5.0, 1.0, 1.2)[:, [2, 1, 0, 3]]
    assert slice_axis_by_guide(grid(5.0, 4.0, 4.8), turned) == 0


@pytest.mark.parametrize("guide", [(1, 1, 1), (4.8, 4, 5), (1.2, 4, 5), (2, 2, 2.5)])
def test_other_guides_do_not_tell_the_axis(guide: tuple[float, ...]) -> None:
    assert slice_axis_by_guide(grid(4.8, 4.0, 5.0), grid(*guide)) is None


@pytest.mark.parametrize(("sizes", "expected"), [((4.8, 4, 5), True), ((1, 1, 1), False), ((0.6, 0.6, 3.3), False)])
def test_doubt_is_known(sizes: tuple[float, ...], expected: bool) -> None:
    assert is_slice_axis_doubtful(grid(*sizes)) is expected

"""Tests of transforms.volume_grids."""

import numpy as np
import pytest

from mri_attention.transforms.volume_grids import covered_fraction, resample_to, same_grid
from tests.transforms.heads import GRID, blob, tensor


@pytest.mark.parametrize(("change", "expected"), [(0, True), (9e-4, True), (2e-3, False)])
def test_grids_differ_beyond_the_tolerance(change: float, expected: bool) -> None:
    moved = GRID.copy()
    moved[0, 3] += change
    assert same_grid(tensor(blob(GRID)), tensor(blob(GRID), moved)) is expected


def test_grids_of_other_shapes_differ() -> None:
    assert not same_grid(tensor(blob(GRID)), tensor(blob(GRID, (20, 22, 11))))


def test_resampling_there_and_back_keeps_a_smooth_image() -> None:
    fine = np.diag([1.0, 1, 1, 1])
    fine[:3, 3] = -25
    image = tensor(blob(fine, (50, 50, 50)), fine)
    half = fine.copy()
    half[:3, 3] += 0.5
    back = resample_to(resample_to(image, tensor(blob(half, (50, 50, 50)), half)), image)
    inner = slice(5, -5)
    np.testing.assert_allclose(back[0, inner, inner, inner], image[0, inner, inner, inner], atol=0.02)


def test_covered_fraction_counts_foreground_in_the_other_field_of_view() -> None:
    half = np.zeros((4, 4, 4), dtype=np.float32)
    half[:, :, :2] = 1
    grid = np.eye(4)
    assert covered_fraction(tensor(half, grid), tensor(np.ones((4, 4, 1), dtype=np.float32), grid)) == 0.5

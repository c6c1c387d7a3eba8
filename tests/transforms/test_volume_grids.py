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


def test_voxels_in_another_order_are_moved_and_not_interpolated() -> None:
    image = tensor(np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32), np.diag([2.0, 3, 4, 1]))
    turned = np.array([[0, -2.0, 0, 8], [0, 0, 3, 0], [-4, 0, 0, 24], [0, 0, 0, 1]])
    back = resample_to(resample_to(image, tensor(np.zeros((7, 5, 6), np.float32), turned)), image)
    np.testing.assert_array_equal(back.numpy(), image.numpy())
    np.testing.assert_array_equal(back.affine.numpy(), image.affine.numpy())


def test_zero_stays_zero_where_values_are_interpolated() -> None:
    values = np.zeros((9, 9, 9), np.float32)
    values[3:6, 3:6, 3:6] = np.random.default_rng(0).normal(size=(3, 3, 3))
    fine = np.diag([0.5, 1, 1, 1.0])
    out = resample_to(tensor(values, np.eye(4)), tensor(np.zeros((18, 9, 9), np.float32), fine)).numpy()
    assert np.abs(out[out != 0]).min() > 1e-9
    assert np.count_nonzero(out) <= 7 * 9


def test_a_volume_of_one_value_is_all_foreground() -> None:
    ones = np.ones((4, 4, 4), dtype=np.float32)
    assert covered_fraction(tensor(ones, np.eye(4)), tensor(ones[:2], np.eye(4))) == 0.5

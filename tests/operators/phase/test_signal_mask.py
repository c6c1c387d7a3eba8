"""Tests of operators.phase.signal_mask."""

from __future__ import annotations

import numpy as np
import pytest

from mri_attention.operators.phase import signal_mask, without_bad_border, without_small_holes
from mri_attention.operators.phase.signal_mask import largest_part

SHAPE = (48, 48, 32)
DISTANCE = np.linalg.norm((np.indices(SHAPE).T - [24, 24, 16]) * [1.0, 1.0, 1.5], axis=-1).T
BRAIN = DISTANCE < 16


def head(noise: float = 0.03) -> np.ndarray:
    """Return a brain with dark fluid in it, within a dark skull and a bright scalp."""
    image = 1.0 * BRAIN + 1.2 * ((DISTANCE > 20) & (DISTANCE < 23))
    image[22:27, 22:27, 14:18] = 0.1
    image[24, 40:45, 16] = 1.0
    return np.abs(image + noise * np.random.default_rng(0).normal(size=SHAPE)) * (1 + 0.3 * np.indices(SHAPE)[0] / 48)


def test_the_brain_is_found_within_its_skull_and_filled() -> None:
    found = signal_mask(head(), np.ones(SHAPE), (1.0, 1.0, 1.5))
    assert 2 * (found & BRAIN).sum() / (found.sum() + BRAIN.sum()) > 0.95
    assert found[22:27, 22:27, 14:18].all()


def test_where_phase_is_unusable_is_outside() -> None:
    quality = np.where(np.indices(SHAPE)[1] > 30, 0.0, 1.0)
    assert not signal_mask(head(), quality, (1.0, 1.0, 1.5))[:, 33:].any()


def test_an_image_of_zeros_has_an_empty_mask() -> None:
    assert not signal_mask(np.zeros(SHAPE), np.ones(SHAPE), (1.0, 1.0, 1.5)).any()


def test_bad_voxels_are_removed_from_the_border_alone() -> None:
    bad = np.zeros(SHAPE, bool)
    bad[24, 36:40, 16] = True
    bad[24, 24, 16] = True
    worn = without_bad_border(BRAIN, bad)
    assert not worn[24, 36:40, 16].any()
    assert worn[24, 24, 16]
    assert BRAIN.sum() - worn.sum() == (bad & BRAIN).sum() - 1


def test_parts_of_a_mask_stay_and_what_is_cut_off_goes() -> None:
    mask, bad = np.zeros((12, 24, 12), bool), np.zeros((12, 24, 12), bool)
    mask[2:10, 2:10, 2:10] = mask[3:9, 14:22, 3:9] = True
    bad[2:10, 7, 2:10] = True  # cuts two planes off the first part
    expected = mask & ~bad
    expected[2:10, 8:10, 2:10] = False
    np.testing.assert_array_equal(without_bad_border(mask, bad), expected)
    assert not without_bad_border(mask, mask).any()


@pytest.mark.parametrize(("size", "is_filled"), [(1, True), (4, True), (5, False)])
def test_holes_no_larger_than_a_sphere_of_3_mm_are_filled(size: int, is_filled: bool) -> None:
    mask = np.ones((12, 12, 12), bool)
    mask[4 : 4 + size, 5:9, 5:9] = False  # up to 113 mm^3 in voxels of 1.5 mm^3: 75
    mask[0, 0, 0] = False  # open
    filled = without_small_holes(mask, (1.0, 1.0, 1.5))
    assert filled[4 : 4 + size, 5:9, 5:9].all() == is_filled
    assert filled.sum() == mask.sum() + is_filled * size * 16


def test_a_hole_of_one_voxel_is_filled_however_large_that_is() -> None:
    mask = np.ones((5, 5, 5), bool)
    mask[2, 2, 2] = False
    assert without_small_holes(mask, (6.0, 6.0, 6.0)).all()


def test_the_largest_part_hangs_together() -> None:
    mask = np.zeros((6, 6, 6), bool)
    mask[0, 0, :2] = mask[3:5, 3:5, 3:5] = True
    assert largest_part(mask).sum() == 8

"""Tests of scripts.reports.viewer.volume_packing."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from mri_attention.scripts.reports.viewer import Shown, pack
from mri_attention.scripts.reports.viewer.volume_packing import MARGIN, Packed

AFFINE = np.array([[0.9, 0.1, 0, -20], [-0.1, 0.9, 0, -30], [0, 0, 3.0, -10], [0, 0, 0, 1]])
SHAPE = (40, 48, 20)


def head(seed: int = 0) -> NDArray[np.float32]:
    """Return noise in a box, of negative and positive values."""
    values = np.zeros(SHAPE, np.float32)
    values[10:30, 12:36, 5:15] = np.random.default_rng(seed).uniform(-1, 2, (20, 24, 10))
    return values


def unpacked(packed: Packed, number: int = 0) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(packed.files[number]))


def test_volumes_are_cropped_and_stay_where_they_are() -> None:
    values = head()
    packed = pack([Shown("T1w", values, (0, 1))], AFFINE)
    assert packed.shape == tuple(n + 2 * MARGIN for n in (20, 24, 10))
    image = unpacked(packed)
    np.testing.assert_allclose(image.affine, packed.affine, atol=1e-5)
    first = (np.linalg.inv(AFFINE) @ packed.affine)[:3, 3]
    np.testing.assert_allclose(first, np.array([10, 12, 5]) - MARGIN)


def test_values_are_kept_to_half_a_step_and_zero_exactly() -> None:
    values = head()
    image = unpacked(pack([Shown("T1w", values, (-1, 2))], AFFINE))
    shown = image.get_fdata()[MARGIN:-MARGIN, MARGIN:-MARGIN, MARGIN:-MARGIN]
    step = 3.0 / 254
    np.testing.assert_allclose(shown, values[10:30, 12:36, 5:15], atol=0.55 * step)
    assert (image.get_fdata()[0] == 0).all()


def test_a_few_extreme_values_take_no_codes_from_the_others() -> None:
    values = abs(head())
    values[20, 20, 10] = 1e6
    shown = unpacked(pack([Shown("T1w", values, (0, 2))], AFFINE)).get_fdata()
    assert shown.max() < 3
    assert len(np.unique(shown)) > 150


@pytest.mark.parametrize("values", [np.zeros(SHAPE, np.float32), np.full(SHAPE, 3, np.float32)], ids=["zero", "same"])
def test_empty_volumes_can_be_packed(values: NDArray[np.float32]) -> None:
    image = unpacked(pack([Shown("T1w", values, (0, 1))], AFFINE))
    np.testing.assert_allclose(image.get_fdata(), values[0, 0, 0], atol=0.02)


def test_a_lesion_outside_of_the_head_is_kept() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[1, 1, 1] = True
    packed = pack([Shown("T1w", head(), (0, 1)), Shown("lesions", mask, (0.5, 1), colors="lesions")], AFFINE)
    assert unpacked(packed, 1).get_fdata().sum() == 1


def test_what_is_too_large_is_averaged_along_the_finest_axes() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[20, 20, 10] = True
    volumes = [Shown("T1w", head(), (0, 1)), Shown("lesions", mask, (0.5, 1), colors="lesions")]
    limit = sum(map(len, pack(volumes, AFFINE).files)) // 2
    packed = pack(volumes, AFFINE, limit)
    assert packed.shrunk == (2, 2, 1)
    assert sum(map(len, packed.files)) <= limit
    small = unpacked(packed, 1)
    (voxel,) = np.argwhere(small.get_fdata())
    expected = AFFINE @ [20, 20, 10, 1]
    np.testing.assert_allclose(small.affine @ [*voxel, 1], expected, atol=0.9)  # a voxel was 0.9 mm


def test_the_same_volumes_give_the_same_bytes() -> None:
    volume = Shown("T1w", head(), (0, 1))
    assert pack([volume], AFFINE).files == pack([volume], AFFINE).files

"""Tests of dropping small lesions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray
from skimage.measure import label, regionprops

from mri_attention.transforms import DropSmallLesionsd, drop_small_lesions


def lesions() -> NDArray[np.bool_]:
    """Return lesions of 1, 3 (connected by corners) and 8 voxels."""
    mask = np.zeros((12, 12, 12), bool)
    mask[1, 1, 1] = True
    mask[4, 4, 4] = mask[5, 5, 5] = mask[6, 6, 6] = True
    mask[8:10, 8:10, 8:10] = True
    return mask


@pytest.mark.parametrize(("smallest", "n_voxels"), [(0, 12), (1, 12), (1.5, 11), (3, 11), (3.1, 8), (8, 8), (9, 0)])
def test_lesions_below_the_volume_go(smallest: float, n_voxels: int) -> None:
    assert drop_small_lesions(lesions(), smallest=smallest).sum() == n_voxels


def test_the_volume_is_in_mm3() -> None:
    assert drop_small_lesions(lesions(), 2.0, smallest=6).sum() == 11
    assert drop_small_lesions(lesions(), 2.0, smallest=6.5).sum() == 8


def test_a_lesion_of_the_smallest_volume_stays_on_an_oblique_grid() -> None:
    assert drop_small_lesions(lesions(), 0.9999999, smallest=3).sum() == 11


def test_it_is_looking_at_each_lesion() -> None:
    mask = np.random.default_rng(0).random((20, 20, 20)) < 0.08
    labels = label(mask, connectivity=3)
    expected = np.zeros_like(mask)
    for lesion in regionprops(labels):
        if lesion.num_pixels >= 4:
            expected[tuple(lesion.coords.T)] = True
    assert 0 < expected.sum() < mask.sum()
    np.testing.assert_array_equal(drop_small_lesions(mask, smallest=4), expected)


def test_the_dictionary_version_takes_the_voxels_of_the_image() -> None:
    image = MetaTensor(torch.zeros(3, 12, 12, 12), affine=torch.diag(torch.tensor([2.0, 1, 1, 1])))
    pred = torch.from_numpy(lesions())[None].float()
    for smallest, n_voxels in ((0.0, 12), (6.0, 11), (7.0, 8)):
        out = DropSmallLesionsd("pred", smallest=smallest)({"pred": pred, "image": image})["pred"]
        assert (out.dtype, int(out.sum())) == (torch.float32, n_voxels)
    assert pred.sum() == 12


def test_a_negative_volume_is_refused() -> None:
    with pytest.raises(ValueError, match="smallest must not be negative"):
        DropSmallLesionsd("pred", smallest=-1)
    with pytest.raises(ValueError, match="voxel_volume positive"):
        drop_small_lesions(lesions(), 0.0, smallest=3)

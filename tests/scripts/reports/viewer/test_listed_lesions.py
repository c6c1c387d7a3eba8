"""Tests of scripts.reports.viewer.listed_lesions."""

from __future__ import annotations

import math

import numpy as np

from mri_attention.scripts.reports.viewer import list_lesions

AFFINE = np.array([[2.0, 0, 0, -20], [0, 2, 0, -20], [0, 0, 2.5, -20], [0, 0, 0, 1]])


def test_the_largest_is_first_and_diagonal_neighbors_belong_together() -> None:
    mask = np.zeros((20, 20, 16), bool)
    mask[2, 2, 2] = True
    mask[10:12, 10, 10] = mask[12, 11, 11] = True
    probability = np.where(mask, 0.5, 0).astype(np.float32)
    probability[12, 11, 11] = 0.8
    large, small = list_lesions(mask, AFFINE, probability)
    assert [large.number, small.number] == [1, 2]
    np.testing.assert_allclose([large.volume_ml, small.volume_ml], [0.03, 0.01])
    np.testing.assert_allclose([large.probability, small.probability], [0.6, 0.5], rtol=1e-6)
    assert small.center == (-16.0, -16.0, -15.0)


def test_the_center_of_a_bent_lesion_lies_in_it() -> None:
    mask = np.zeros((20, 20, 16), bool)
    mask[5, 5:15, 8] = mask[5:15, 5, 8] = True
    (lesion,) = list_lesions(mask, AFFINE)
    voxel = np.rint(np.linalg.inv(AFFINE) @ [*lesion.center, 1])[:3].astype(int)
    assert mask[tuple(voxel)]
    assert math.isnan(lesion.probability)


def test_no_lesion_gives_an_empty_list() -> None:
    assert list_lesions(np.zeros((4, 4, 4)), AFFINE) == []

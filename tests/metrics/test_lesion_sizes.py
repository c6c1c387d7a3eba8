"""Tests of matching without small lesions against matching each mask by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from mri_attention.metrics import match_lesions
from mri_attention.metrics.lesion_sizes import NEIGHBORS, TrueLesions

LIMITS = (0, 1, 2, 5, 1000)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1])
def test_it_is_matching_without_the_small_lesions(share: float) -> None:
    generator = np.random.default_rng(3)
    truth, prediction = (ndimage.binary_dilation(generator.random((16, 14, 12)) < share) for _ in range(2))
    prediction |= generator.random(prediction.shape) < share / 4
    found = TrueLesions(truth, 2.0).match(prediction, LIMITS)
    for limit, match in zip(LIMITS, found, strict=True):
        labels, _ = ndimage.label(prediction, NEIGHBORS)
        stays = np.bincount(labels.ravel()) >= limit
        stays[0] = False
        expected = match_lesions(stays[labels], truth, 2.0)
        np.testing.assert_equal(match.as_row(), expected.as_row())


def test_masks_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        TrueLesions(np.zeros((3, 3, 3))).match(np.zeros((3, 3, 4), bool))

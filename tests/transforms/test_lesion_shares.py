"""Crops drawn by lesion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri_attention.transforms import BalanceLesionIndicesd
from mri_attention.transforms.lesion_shares import balance


@pytest.fixture
def mask() -> np.ndarray:
    """Lesions of 1000, 27 and 1 voxels, the last two of which do not touch."""
    mask = np.zeros((20, 20, 20), bool)
    mask[1:11, 1:11, 1:11] = mask[14:17, 14:17, 14:17] = mask[18, 1, 1] = True
    return mask


def counts(mask: np.ndarray, indices: np.ndarray) -> list[int]:
    x, y, _ = np.unravel_index(indices, mask.shape)
    return [int(part.sum()) for part in (x < 12, (x > 12) & (y > 12), x == 18)]


def test_each_lesion_is_added_in_equal_numbers(mask: np.ndarray) -> None:
    indices = np.flatnonzero(mask)
    added = balance(mask, indices, 0.5)[len(indices) :]
    assert counts(mask, added) == [343, 343, 343]


def test_the_share_drawn_by_lesion_is_the_asked_one(mask: np.ndarray) -> None:
    indices = np.flatnonzero(mask)
    assert len(indices) / len(balance(mask, indices, 0.75)) == pytest.approx(0.25, abs=0.001)


def test_all_added_voxels_are_of_lesions_and_from_all_over_a_large_one(mask: np.ndarray) -> None:
    indices = np.flatnonzero(mask)
    added = balance(mask, indices, 0.5)[len(indices) :]
    assert mask.ravel()[added].all()
    x = np.unravel_index(added[:343], mask.shape)[0]
    assert np.all(np.bincount(x, minlength=11)[1:] >= 34)


@pytest.mark.parametrize("by_lesion", [0.0, 0.5])
def test_without_lesions_or_share_nothing_changes(by_lesion: float, mask: np.ndarray) -> None:
    subject = mask if by_lesion == 0 else np.zeros_like(mask)
    indices = np.flatnonzero(subject)
    assert np.array_equal(balance(subject, indices, by_lesion), indices)


def test_the_transform_replaces_the_indices_beside_the_label(mask: np.ndarray) -> None:
    data = {"label": torch.from_numpy(mask[None].astype(np.float32)), "label_fg_indices": np.flatnonzero(mask)}
    assert len(BalanceLesionIndicesd()(data)["label_fg_indices"]) == 1028 + 3 * 343


@pytest.mark.parametrize("by_lesion", [-0.1, 1.0])
def test_a_share_out_of_range_is_refused(by_lesion: float) -> None:
    with pytest.raises(ValueError, match="by_lesion must be at least 0"):
        BalanceLesionIndicesd(by_lesion=by_lesion)

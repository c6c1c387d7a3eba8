"""Voxels of lesions for crops, in which small lesions count as much as large ones."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from numpy.typing import NDArray
from scipy import ndimage

CORNERS = np.ones((3, 3, 3), dtype=bool)


class BalanceLesionIndicesd(MapTransform):
    """Let a part of the crops be drawn by lesion, and the others by volume.

    ``RandCropByPosNegLabeld`` draws the center of a crop among the voxels that ``FgBgToIndicesd`` found, so that a
    lesion of 20 ml is seen a thousand times as often as one of 20 mm^3, though a count of lesions, such as L-F1, values
    both alike. Here every lesion (26-connected) is added with the same number of voxels, repeated or spread evenly over
    it, so that a share ``by_lesion`` of all voxels belongs to every lesion equally.

    Args:
        keys: of labels ``(1, x, y, z)``, beside which their indices are at the key with ``postfix``.
        by_lesion: share of crops that is drawn by lesion, from 0 up to but not including 1.
        postfix: of the key of the indices of lesion voxels.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: if ``by_lesion`` is not in this range.
    """

    def __init__(
        self,
        keys: KeysCollection = "label",
        by_lesion: float = 0.5,
        postfix: str = "_fg_indices",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if not 0 <= by_lesion < 1:
            raise ValueError(f"by_lesion must be at least 0 and less than 1, got {by_lesion=}")
        self.by_lesion = by_lesion
        self.postfix = postfix

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the indices."""
        out = dict(data)
        for key in self.key_iterator(out):
            name = f"{key}{self.postfix}"
            out[name] = balance(np.asarray(out[key][0]) > 0, np.asarray(out[name]), self.by_lesion)
        return out


def balance(mask: NDArray[np.bool_], indices: NDArray[np.int64], by_lesion: float) -> NDArray[np.int64]:
    """Append to flat ``indices`` of a mask's voxels those of each of its lesions, in equal numbers."""
    labels, count = ndimage.label(mask, CORNERS)
    each = round(len(indices) * by_lesion / (1 - by_lesion) / count) if count else 0
    if each == 0:
        return indices
    flat = labels.ravel()
    voxels = np.flatnonzero(flat)
    lesions = np.split(voxels[np.argsort(flat[voxels], kind="stable")], np.cumsum(np.bincount(flat[voxels])[1:-1]))
    return np.concatenate([indices, *(_evenly(lesion, each) for lesion in lesions)])


def _evenly(voxels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """``count`` of them, from all over the list, each as often as the others or once more."""
    return voxels[np.arange(count) * len(voxels) // count] if count < len(voxels) else np.resize(voxels, count)

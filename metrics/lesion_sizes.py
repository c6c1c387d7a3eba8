"""Lesions matched again and again: of one predicted mask without its small lesions, for several limits of size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .lesion_rates import LesionMatch

NEIGHBORS = np.ones((3, 3, 3), bool)  # 26 of them


class TrueLesions:
    """The lesions of a true mask, searched for once, with which many predicted masks are matched.

    Lesions are connected by faces, edges or corners, and one voxel in common is a match, as by default in
    :func:`~mri_attention.metrics.match_lesions`.

    Args:
        truth: mask ``(x, y, z)``.
        voxel_volume: mm^3.
    """

    def __init__(self, truth: ArrayLike, voxel_volume: float = 1.0) -> None:
        self.labels, _ = ndimage.label(np.asarray(truth, bool), NEIGHBORS)
        self.sizes = np.bincount(self.labels.ravel())[1:]
        self.voxel_volume = voxel_volume

    def match(self, prediction: NDArray[np.bool_], smallest: Sequence[int] = (0,)) -> list[LesionMatch]:
        """Match a predicted mask without its lesions of fewer voxels than each of ``smallest``.

        Args:
            prediction: of the shape of the truth.
            smallest: voxels of a predicted lesion that stays.

        Returns:
            One match for each of ``smallest``.

        Raises:
            ValueError: for another shape.
        """
        if prediction.shape != self.labels.shape:
            raise ValueError(f"shapes differ: prediction {prediction.shape}, truth {self.labels.shape}")
        labels, _ = ndimage.label(prediction, NEIGHBORS)
        voxels = np.flatnonzero(prediction)  # few of all
        own, true = labels.ravel()[voxels], self.labels.ravel()[voxels].astype(np.int64)
        codes, overlaps = np.unique((own * (self.sizes.size + 1) + true)[true > 0], return_counts=True)
        pairs = np.stack(np.divmod(codes, self.sizes.size + 1)) - 1
        sizes = np.bincount(own, minlength=1)[1:]
        return [self._match(sizes, pairs, overlaps, limit) for limit in smallest]

    def _match(
        self, sizes: NDArray[np.int64], pairs: NDArray[np.int64], overlaps: NDArray[np.int64], smallest: int
    ) -> LesionMatch:
        kept = sizes >= smallest
        stays = kept[pairs[0]]
        true_hits, predicted_hits = np.zeros(self.sizes.size, bool), np.zeros(sizes.size, bool)
        predicted_hits[pairs[0, stays]] = True
        true_hits[pairs[1, stays]] = True
        n_voxels = int(sizes[kept].sum() + self.sizes.sum())
        return LesionMatch(
            true_volumes=self._volumes(self.sizes),
            predicted_volumes=self._volumes(sizes[kept]),
            true_hits=true_hits,
            predicted_hits=predicted_hits[kept],
            dice=2 * int(overlaps[stays].sum()) / n_voxels if n_voxels else math.nan,
        )

    def _volumes(self, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
        return sizes.astype(np.float64) * self.voxel_volume

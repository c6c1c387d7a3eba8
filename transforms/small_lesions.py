"""Lesions that are too small to be believed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from torch import Tensor

from ..operators.b0_direction import voxel_size_from_affine
from .keyed import KeyedTransform, of_options

NEIGHBORS = np.ones((3, 3, 3), bool)  # 26 of them: lesions are connected by faces, edges or corners


def drop_small_lesions(lesions: ArrayLike, voxel_volume: float = 1.0, smallest: float = 0.0) -> NDArray[np.bool_]:
    """Drop each lesion whose volume is below ``smallest``.

    MONAI's ``RemoveSmallObjects(by_measure=True)`` does so too, but with scikit-image from 0.26 on it drops lesions of
    just this volume as well, and it takes the voxels of an oblique grid, 0.9999999 mm^3 each, at their word: three of
    them are below 3 mm^3 there, and not here.

    Args:
        lesions: mask ``(x, y, z)``; lesions are its parts, connected by faces, edges or corners.
        voxel_volume: mm^3.
        smallest: mm^3 of a lesion that stays; 0 keeps all.

    Returns:
        Mask of the same shape.

    Raises:
        ValueError: if ``smallest`` is negative, or ``voxel_volume`` not positive.
    """
    mask = np.asarray(lesions, bool)
    n_voxels = smallest_count(smallest, voxel_volume)
    if n_voxels <= 1:
        return mask
    labels, _ = ndimage.label(mask, NEIGHBORS)
    stays = np.bincount(labels.ravel()) >= n_voxels
    stays[0] = False
    kept: NDArray[np.bool_] = stays[labels]
    return kept


def smallest_count(smallest: float, voxel_volume: float) -> int:
    """Return how many voxels a lesion of at least ``smallest`` mm^3 has.

    Raises:
        ValueError: if ``smallest`` is negative, or ``voxel_volume`` not positive.
    """
    if not (smallest >= 0 and voxel_volume > 0):
        raise ValueError(f"smallest must not be negative and voxel_volume positive, got {smallest=}, {voxel_volume=}")
    return int(np.ceil(float(f"{smallest / voxel_volume:.6g}")))


class DropSmallLesionsd(KeyedTransform):
    """Dictionary version of :func:`drop_small_lesions`, of masks ``(1, x, y, z)`` on the grid of an image.

    Args:
        keys: of the masks.
        image_key: of an image with an affine on the same grid.
        smallest: mm^3 of a lesion that stays; 0 keeps all.
        options: of :class:`KeyedTransform`.

    Raises:
        ValueError: if ``smallest`` is negative.
    """

    array = of_options(drop_small_lesions)

    def __init__(self, keys: KeysCollection, image_key: str = "image", smallest: float = 0.0, **options: Any) -> None:
        super().__init__(keys, smallest=smallest, **options)
        smallest_count(smallest, 1.0)
        self.image_key = image_key

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the volume of a voxel (mm^3)."""
        return {"voxel_volume": float(voxel_size_from_affine(data[self.image_key].affine.numpy()).prod())}

    def apply(self, value: Tensor, **arguments: Any) -> Tensor:
        """Return a mask of the same type."""
        mask = value.clone()
        mask[0] = torch.from_numpy(self.transform(value[0].cpu().numpy() > 0, **arguments)).to(mask.dtype)
        return mask

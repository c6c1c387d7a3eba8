"""Crop the k-space of planes to what was measured of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform
from torch import Tensor

from ..operators.grids import first_voxel_affine
from ..operators.kspace_truncation import low_resolution_of, zero_fill_kspace
from .keyed import InvertibleKeyedTransform


class CropKspace(InvertibleTransform):
    """Keep the share of k-space along both axes of planes ``(c, h, w, slice)`` that :class:`KspaceSupportd` found.

    An image that a scanner interpolated comes back to the pixels that were acquired, with the same center of its first
    voxel. The inverse fills k-space up with zeros, as the scanner did.

    Raises:
        ValueError: when called, if a share is not above 0 or is above 1.
    """

    def __call__(self, image: MetaTensor, support: Sequence[float] = (1.0, 1.0)) -> MetaTensor:
        """Return planes with fewer pixels."""
        if not all(0 < share <= 1 for share in support):
            raise ValueError(f"support must be above 0 and at most 1, got {tuple(support)}")
        full = tuple(image.shape[1:3])
        size = tuple(max(round(n * share), 1) for n, share in zip(full, support, strict=True))
        cropped = _in_planes(low_resolution_of, image, size)
        cropped.affine = first_voxel_affine(image.affine, [*(n / m for n, m in zip(full, size, strict=True)), 1.0])
        self.push_transform(cropped, extra_info={"full": full, "affine": image.affine})
        return cropped

    def inverse(self, image: MetaTensor) -> MetaTensor:
        """Return to the pixels of before."""
        before = self.pop_transform(image)["extra_info"]
        filled = _in_planes(zero_fill_kspace, image, before["full"])
        filled.affine = before["affine"]
        return filled


class CropKspaced(InvertibleKeyedTransform):
    """Dictionary version of :class:`CropKspace`: all channels are cropped, by what was found of the first one.

    Args:
        keys: of images.
        support_key: of the shares.
        options: see :class:`KeyedTransform`.

    Raises:
        KeyError: when called, if there are no shares.
    """

    array = CropKspace

    def __init__(self, keys: KeysCollection, support_key: str = "support", **options: Any) -> None:
        super().__init__(keys, **options)
        self.support_key = support_key

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the shares."""
        return {"support": data[self.support_key]}


def _in_planes(function: Any, image: MetaTensor, size: Sequence[int]) -> MetaTensor:
    planes: Tensor = image.as_tensor().movedim(-1, 1)
    changed = planes if tuple(planes.shape[-2:]) == tuple(size) else function(planes, size)
    meta, applied = dict(image.meta), image.applied_operations
    return MetaTensor(changed.movedim(1, -1).contiguous(), meta=meta, applied_operations=applied)

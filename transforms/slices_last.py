"""Put the axis across slices last."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform

from ..operators.slice_axis import slice_axis
from .keyed import InvertibleKeyedTransform
from .load_fine_contrasts import ACROSS


class SlicesLast(InvertibleTransform):
    """Move the axis across slices of a volume ``(c, x, y, z)`` to the end; the affine follows.

    Args:
        axis: across slices, 0 to 2; if it is None, what ``meta["across_slices"]`` tells, else by :func:`slice_axis`.

    Raises:
        ValueError: if ``axis`` is another number.
    """

    def __init__(self, axis: int | None = None) -> None:
        super().__init__()
        if axis not in (None, 0, 1, 2):
            raise ValueError(f"axis must be 0, 1, 2 or None, got {axis}")
        self.axis = axis

    def __call__(self, image: MetaTensor, axis: int | None = None) -> MetaTensor:
        """Return ``(c, *in_plane, slices)``; ``axis`` stands above that of the constructor."""
        axis = self.axis if axis is None else axis
        axis = across_slices(image) if axis is None else axis
        moved = _permute(image, [i for i in range(3) if i != axis] + [axis])
        self.push_transform(moved, extra_info={"axis": axis})
        return moved

    def inverse(self, image: MetaTensor) -> MetaTensor:
        """Move the axis back."""
        axis = self.pop_transform(image)["extra_info"]["axis"]
        order = [0, 1]
        order.insert(axis, 2)
        return _permute(image, order)


class SlicesLastd(InvertibleKeyedTransform):
    """Dictionary version of :class:`SlicesLast`, for volumes on one grid; the axis is that of the first key."""

    array = SlicesLast

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the axis."""
        axis = self.transform.axis
        return {"axis": across_slices(data[self.first_key(dict(data))]) if axis is None else axis}


def across_slices(image: MetaTensor) -> int:
    """Return the axis that :class:`LoadFineContrastsd` found, else that of :func:`slice_axis`."""
    return int(image.meta[ACROSS]) if ACROSS in image.meta else slice_axis(image.affine)


def _permute(image: MetaTensor, order: list[int]) -> MetaTensor:
    values = image.as_tensor().permute(0, *(1 + i for i in order)).contiguous()
    moved = MetaTensor(values, meta=dict(image.meta), applied_operations=image.applied_operations)
    columns = torch.tensor([*order, 3])
    moved.affine = image.affine[:, columns]
    return moved

"""Volumes as stacks of slices, and back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import CenterSpatialCrop, MapTransform, Randomizable, Spacing
from torch import Tensor

from ..datasets.volumes import header_of
from ..operators.slice_axis import slice_axis


class ToSlicesd(MapTransform):
    """Turn volumes ``(c, x, y, z)`` into stacks of slices ``(c, slice, y, x)``; no axis is reversed.

    Slices lie along :func:`slice_axis`; of the other two axes, the first of the file comes last.
    ``meta["slice_axis"]`` tells the axis of the volume; what has it already is left alone.

    Args:
        keys: of the volumes.
        spacing: mm, to which slices are resampled within their plane; as they are where it is None.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(self, keys: KeysCollection, spacing: float | None = None, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.spacing = spacing

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Turn what is at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            volume: MetaTensor = out[key]
            if "slice_axis" in volume.meta:
                continue
            axis = slice_axis(volume.affine)
            if self.spacing is not None:
                in_plane = [0.0 if i == axis else self.spacing for i in range(3)]  # 0 keeps the voxel size
                volume = cast(MetaTensor, Spacing(in_plane)(volume))
            stack = volume.as_tensor().permute(_order(axis)).contiguous()
            out[key] = MetaTensor(stack, meta={**volume.meta, "slice_axis": axis})
        return out


class FromSlicesd(MapTransform):
    """Turn stacks of slices ``(c, slice, y, x)`` into volumes ``(c, x, y, z)`` on the grid of the source's file.

    What goes beyond that grid is cropped on both sides, as the oversampled field of view of k-space is.

    Args:
        keys: of the stacks.
        source_key: of what has ``slice_axis`` and the header of the grid in its ``meta``.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(self, keys: KeysCollection, source_key: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Turn what is at every key."""
        out = dict(data)
        source = out[self.source_key]
        header, order = header_of(source), np.argsort(_order(int(source.meta["slice_axis"]))).tolist()
        for key in self.key_iterator(out):
            stack = torch.as_tensor(out[key]).as_subclass(Tensor)
            volume = CenterSpatialCrop(header.get_data_shape())(stack.permute(order))
            out[key] = MetaTensor(volume, affine=torch.from_numpy(header.get_best_affine()))
        return out


class RandSlicesd(Randomizable, MapTransform):
    """Take some slices of a stack ``(c, slice, y, x)`` at random, the same for all keys; repeated where they are few.

    Args:
        keys: of the stacks.
        n_slices: how many.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: if ``n_slices`` is below one.
    """

    def __init__(self, keys: KeysCollection, n_slices: int, allow_missing_keys: bool = False) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if n_slices < 1:
            raise ValueError(f"n_slices must be at least 1, got {n_slices}")
        self.n_slices = n_slices

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Take slices of what is at every key."""
        out = dict(data)
        if (first := self.first_key(out)) == ():
            return out
        n = out[first].shape[1]
        drawn = [int(i) for i in self.R.choice(n, self.n_slices, replace=n < self.n_slices)]
        for key in self.key_iterator(out):
            out[key] = out[key][:, drawn]
        return out


class SpreadSlicesd(MapTransform):
    """Take some slices of a stack ``(c, slice, y, x)`` at equal distances, for a quick validation.

    Args:
        keys: of the stacks.
        n_slices: how many at most.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(self, keys: KeysCollection, n_slices: int, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.n_slices = n_slices

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Take slices of what is at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            n = out[key].shape[1]
            k = min(n, self.n_slices)
            out[key] = out[key][:, [(2 * i + 1) * n // (2 * k) for i in range(k)]]
        return out


def _order(axis: int) -> list[int]:
    """Return the axes of a volume ``(c, x, y, z)`` as channel, slice, y, x."""
    return [0, axis + 1, *(i + 1 for i in (2, 1, 0) if i != axis)]

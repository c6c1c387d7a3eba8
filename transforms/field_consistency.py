"""Make susceptibility maps agree with the measured field, over the whole volume."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor

from ..operators.field_consistency import agree_with_field


class AgreeWithFieldd(MapTransform):
    """Make maps (ppm) agree with the local field that they were made from, by :func:`agree_with_field`.

    Takes ``mask``, ``voxel_size`` (mm) and ``b0_direction`` (voxel axes) as :class:`LoadLocalFieldd` adds them.

    Args:
        keys: of maps ``(1, x, y, z)``.
        image_key: of the image whose first channel is the field (ppm), on the grid of the maps.
        weight: of the map, see :func:`agree_with_field`; with None, maps stay as they are.
        mask_key: of the mask.
        options: further arguments of :func:`agree_with_field`.

    Raises:
        ValueError: if ``weight`` is not positive.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        image_key: str = "image",
        weight: float | None = None,
        mask_key: str = "mask",
        **options: Any,
    ) -> None:
        super().__init__(keys)
        if weight is not None and not weight > 0:
            raise ValueError(f"weight must be positive or None, got {weight}")
        self.image_key = image_key
        self.weight = weight
        self.mask_key = mask_key
        self.options = options

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Correct the map at every key."""
        out = dict(data)
        if self.weight is None:
            return out
        for key in self.key_iterator(out):
            given = (out[key], out[self.image_key][:1], out[self.mask_key])
            chi, field, mask = (torch.as_tensor(t).as_subclass(Tensor).to(out[key].device).float()[None] for t in given)
            size, direction = (torch.as_tensor(out[name]).to(chi) for name in ("voxel_size", "b0_direction"))
            with torch.no_grad():
                agreed = agree_with_field(chi, field, mask, size, direction, self.weight, **self.options)
            out[key] = out[key] * 0 + agreed[0]  # a MetaTensor remains one
        return out

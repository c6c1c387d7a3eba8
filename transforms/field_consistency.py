"""Make susceptibility maps agree with the measured field, over the whole volume."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor

from ..operators.field_consistency import agree_with_field
from .positive_numbers import require_positive

LEAST_NOISE = 5e-4
"""ppm: what is wrong with a field beside its noise, such as remains of the background."""


class AgreeWithFieldd(MapTransform):
    """Make maps (ppm) agree with the local field that they were made from, by :func:`agree_with_field`.

    Takes ``mask``, ``voxel_size`` (mm) and ``b0_direction`` (voxel axes) as :class:`LoadLocalFieldd` adds them. Without
    a weight it is ``(noise / map_error)^2``, that of the most probable map where field and map have independent normal
    errors, with noise of :data:`LEAST_NOISE` at least.

    Args:
        keys: of maps ``(1, x, y, z)``.
        image_key: of the image whose first channel is the field (ppm) and whose fourth, if there is one, its noise
            (ppm), as :class:`AppendFieldErrord` makes it, on the grid of the maps.
        weight: of the map, see :func:`agree_with_field`.
        map_error: ppm, of the maps; for images that tell the noise. Without it, or the noise, and without a weight,
            maps stay as they are.
        mask_key: of the mask.
        options: further arguments of :func:`agree_with_field`.

    Raises:
        InputError: if ``weight`` or ``map_error`` is not positive.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        image_key: str = "image",
        weight: float | None = None,
        map_error: float | None = None,
        mask_key: str = "mask",
        **options: Any,
    ) -> None:
        super().__init__(keys)
        require_positive("data_consistency", weight)
        require_positive("map_error", map_error)
        self.image_key = image_key
        self.weight = weight
        self.map_error = map_error
        self.mask_key = mask_key
        self.options = options

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Correct the map at every key."""
        out = dict(data)
        weight = self._weight(out)
        if weight is None:
            return out
        for key in self.key_iterator(out):
            given = (out[key], out[self.image_key][:1], out[self.mask_key])
            chi, field, mask = (torch.as_tensor(t).as_subclass(Tensor).to(out[key].device).float()[None] for t in given)
            size, direction = (torch.as_tensor(out[name]).to(chi) for name in ("voxel_size", "b0_direction"))
            with torch.no_grad():
                agreed = agree_with_field(chi, field, mask, size, direction, weight, **self.options)
            out[key] = out[key] * 0 + agreed[0]  # a MetaTensor remains one
        return out

    def _weight(self, data: Mapping[Hashable, Any]) -> float | None:
        if self.weight is not None or self.map_error is None or len(data[self.image_key]) < 4:
            return self.weight
        noise = torch.as_tensor(data[self.image_key])[3]
        known = noise[noise > 0]
        level = float(known.median()) if known.numel() else 0.0
        return (max(level, LEAST_NOISE) / self.map_error) ** 2

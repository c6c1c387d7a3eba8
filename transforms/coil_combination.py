"""One image from those of several receive coils."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from torch import Tensor


class CombineCoils(Transform):
    """Combine coil images, by their root sum of squares or weighted by sensitivities.

    Without maps the magnitude ``sqrt(sum_j |x_j|^2)``; with maps S the complex ``sum_j S_j^* x_j / sum_j |S_j|^2``,
    which recovers the image where the maps are right and is zero where all are zero. Roemer et al. 1990,
    doi:10.1002/mrm.1910160203, for noise that is white and alike in all coils.

    Args:
        coil_axis: is kept, with one element; the first for ``(c, *spatial)``.
    """

    def __init__(self, coil_axis: int = 0) -> None:
        self.coil_axis = coil_axis

    def __call__(self, images: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Combine ``images``, complex; ``coil_maps`` are of the same or a broadcastable shape.

        Raises:
            ValueError: if the maps are of another number of coils.
        """
        if coil_maps is None:
            return torch.linalg.vector_norm(images, dim=self.coil_axis, keepdim=True)
        if coil_maps.ndim != images.ndim or coil_maps.shape[self.coil_axis] != images.shape[self.coil_axis]:
            shapes = f"{tuple(coil_maps.shape)} and {tuple(images.shape)}"
            raise ValueError(f"coil_maps must be of as many coils as images, got shapes {shapes}")
        weights = coil_maps.abs().square().sum(self.coil_axis, keepdim=True)
        combined = (coil_maps.conj() * images).sum(self.coil_axis, keepdim=True)
        return torch.where(weights > 0, combined / weights.clamp_min(torch.finfo(weights.dtype).tiny), 0)


class CombineCoilsd(MapTransform):
    """Dictionary version of :class:`CombineCoils`.

    Args:
        keys: of coil images.
        maps_key: of the sensitivities; root sum of squares where it is None.
        coil_axis: see :class:`CombineCoils`.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(
        self, keys: KeysCollection, maps_key: str | None = None, coil_axis: int = 0, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.maps_key = maps_key
        self.transform = CombineCoils(coil_axis)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Combine the coils of every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key], None if self.maps_key is None else out[self.maps_key])
        return out

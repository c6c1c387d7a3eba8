"""Normalization of intensities by one number, which the inverse undoes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform
from torch import Tensor


class ScaleMagnitude(InvertibleTransform):
    """Divide real or complex data by a quantile of their magnitude.

    Nothing is subtracted, so zero stays zero, phases stay, and images and k-space scale alike: ``F(x / s) = F(x) / s``.

    Args:
        quantile: of the magnitudes, 1 for the maximum. Where it is zero, nothing is done.
        slice_axis: along which each index is divided by the quantile of its own; one for all where it is None.

    Raises:
        ValueError: if ``quantile`` is not within 0 and 1; when called, if a given ``scale`` is not positive; when
            inverted, for data that this transform has not scaled.
    """

    def __init__(self, quantile: float = 0.999, slice_axis: int | None = None) -> None:
        super().__init__()
        if not 0 < quantile <= 1:
            raise ValueError(f"quantile must be within 0 (excluded) and 1, got {quantile}")
        self.quantile = quantile
        self.slice_axis = slice_axis

    def scale_of(self, data: Tensor) -> Tensor:
        """Return by what to divide: one number, or one for each slice, in a broadcastable shape."""
        magnitude = data.detach().abs().as_subclass(Tensor).cpu().numpy()
        others = None if self.slice_axis is None else _all_but(self.slice_axis, magnitude.ndim)
        scale = np.quantile(magnitude, self.quantile, axis=others, keepdims=others is not None)
        return torch.as_tensor(np.where(scale > 0, scale, 1.0), dtype=torch.float32)

    def __call__(self, data: Tensor, scale: float | Tensor | None = None) -> MetaTensor:
        """Return ``data / scale``; the scale is theirs if it is None."""
        scale = self.scale_of(data) if scale is None else torch.as_tensor(scale)
        if not (scale > 0).all():
            raise ValueError(f"scale must be positive, got {scale.min()}")
        scale = scale.to(data.device)
        scaled = cast(MetaTensor, (data if isinstance(data, MetaTensor) else MetaTensor(data)) / scale)
        self.push_transform(scaled, extra_info={"scale": scale})
        return scaled

    def inverse(self, data: MetaTensor) -> MetaTensor:
        """Multiply by the scale that ``data`` were divided by."""
        return cast(MetaTensor, data * torch.as_tensor(self.pop_transform(data)["extra_info"]["scale"]).to(data.device))


def _all_but(axis: int, n_axes: int) -> tuple[int, ...]:
    return tuple(other for other in range(n_axes) if other != axis % n_axes)


class ScaleMagnituded(MapTransform, InvertibleTransform):
    """Dictionary version of :class:`ScaleMagnitude`.

    Args:
        keys: of images or k-space.
        reference_key: of the data whose magnitude all keys are divided by, such as the zero-filled image, which is
            known at inference too; each by its own where it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`ScaleMagnitude`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        reference_key: str | None = None,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.reference_key = reference_key
        self.transform = ScaleMagnitude(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Scale what is at every key."""
        out = dict(data)
        scale = None if self.reference_key is None else self.transform.scale_of(out[self.reference_key])
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key], scale)
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Undo the scaling of every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform.inverse(out[key])
        return out

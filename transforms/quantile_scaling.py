"""Normalization of intensities by numbers that the inverse undoes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform
from torch import Tensor

from .keyed import InvertibleKeyedTransform

Part = Literal["magnitude", "foreground"]


class ScaleByQuantile(InvertibleTransform):
    """Divide real or complex data by a quantile of their own.

    Nothing is subtracted, so zero stays zero, phases stay, and images and k-space scale alike: ``F(x / s) = F(x) / s``.
    Where the quantile is not positive, nothing is done.

    Args:
        quantile: from 0, excluded, to 1 for the maximum.
        of: all of the ``"magnitude"``; or the ``"foreground"`` of real data, which is what lies above their mean, so
            that it does not matter how much background there is.
        axis: along which each index is divided by the quantile of its own, such as 0 for channels; one for all where
            it is None.

    Raises:
        ValueError: if ``quantile`` is not within 0 and 1 or ``of`` is unknown; when called or inverted, for data with
            more indices along ``axis`` than there are numbers; when inverted, for data that this transform has not
            scaled.
    """

    def __init__(self, quantile: float = 0.999, of: Part = "magnitude", axis: int | None = None) -> None:
        super().__init__()
        if not 0 < quantile <= 1:
            raise ValueError(f"quantile must be within 0 (excluded) and 1, got {quantile}")
        if of not in get_args(Part):
            raise ValueError(f"of must be one of {', '.join(get_args(Part))}, got {of}")
        self.quantile = quantile
        self.of = of
        self.axis = axis

    def scale_of(self, data: Tensor) -> Tensor:
        """Return by what to divide: one number, or one for each index along the axis, in a broadcastable shape."""
        values = (data.abs() if self.of == "magnitude" else data).detach().as_subclass(Tensor).cpu().numpy()
        if self.axis is None:
            return torch.tensor(self._scale(values))
        scales = torch.tensor([self._scale(part) for part in np.moveaxis(values, self.axis, 0)])
        return scales.view([-1 if axis == self.axis % data.ndim else 1 for axis in range(data.ndim)])

    def _scale(self, values: np.ndarray) -> float:
        values = values[values > values.mean()] if self.of == "foreground" else values
        scale = float(np.quantile(values, self.quantile)) if values.size else 1.0
        return scale if scale > 0 else 1.0

    def __call__(self, data: Tensor, scale: Tensor | None = None) -> MetaTensor:
        """Return ``data / scale``; the scale is that of the data if it is None."""
        scale = self._fitting(self.scale_of(data) if scale is None else scale, data)
        scaled = cast(MetaTensor, (data if isinstance(data, MetaTensor) else MetaTensor(data)) / scale)
        self.push_transform(scaled, extra_info={"scale": scale})
        return scaled

    def inverse(self, data: MetaTensor) -> MetaTensor:
        """Multiply by what was divided by; of fewer channels or slices, by that of the first ones."""
        scale = self.pop_transform(data)["extra_info"]["scale"]
        return cast(MetaTensor, data * self._fitting(scale, data))

    def _fitting(self, scale: Tensor, data: Tensor) -> Tensor:
        if self.axis is not None:
            n, n_scales = data.shape[self.axis], scale.shape[self.axis]
            if n > n_scales:
                raise ValueError(f"{n} along axis {self.axis} where {n_scales} were scaled")
            scale = scale.narrow(self.axis, 0, n)
        return scale.to(data.device)


class ScaleByQuantiled(InvertibleKeyedTransform):
    """Dictionary version of :class:`ScaleByQuantile`.

    Args:
        keys: of images or k-space.
        reference_key: of the data whose quantile all keys are divided by, such as the zero-filled image, which is known
            at inference too; each by its own where it is None.
        options: see :class:`KeyedTransform`.
    """

    array = ScaleByQuantile

    def __init__(self, keys: KeysCollection, reference_key: str | None = None, **options: Any) -> None:
        super().__init__(keys, **options)
        self.reference_key = reference_key

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the scale of the reference."""
        return {"scale": None if self.reference_key is None else self.transform.scale_of(data[self.reference_key])}

"""Normalization of contrasts, each by its own number, which the inverse undoes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform
from torch import Tensor


class ScaleContrasts(InvertibleTransform):
    """Divide each channel by a quantile of its foreground, which is what lies above its mean.

    Nothing is subtracted, so that zero stays zero; and where the background is, or how much of it there is, does not
    matter. A channel that is constant is left as it is.

    Args:
        quantile: of the foreground.

    Raises:
        ValueError: if ``quantile`` is not within 0 and 1; when inverted, for data that this transform has not scaled,
            or with more channels.
    """

    def __init__(self, quantile: float = 0.95) -> None:
        super().__init__()
        if not 0 < quantile <= 1:
            raise ValueError(f"quantile must be within 0 (excluded) and 1, got {quantile}")
        self.quantile = quantile

    def scales_of(self, image: Tensor) -> list[float]:
        """Return the number of each channel of ``(c, *spatial)``."""
        channels = (channel.detach().cpu().numpy() for channel in image)
        return [self._scale(channel) for channel in channels]

    def _scale(self, values: np.ndarray) -> float:
        foreground = values[values > values.mean()]
        scale = float(np.quantile(foreground, self.quantile)) if foreground.size else 1.0
        return scale if scale > 0 else 1.0

    def __call__(self, image: Tensor, scales: list[float] | None = None) -> MetaTensor:
        """Return the scaled image; the numbers are its own if ``scales`` is None."""
        scales = self.scales_of(image) if scales is None else scales[: len(image)]
        scaled = cast(
            MetaTensor, (image if isinstance(image, MetaTensor) else MetaTensor(image)) / _column(image, scales)
        )
        self.push_transform(scaled, extra_info={"scales": scales})
        return scaled

    def inverse(self, image: MetaTensor) -> MetaTensor:
        """Multiply by what was divided by; of fewer channels, the first ones."""
        scales = self.pop_transform(image)["extra_info"]["scales"]
        if len(image) > len(scales):
            raise ValueError(f"{len(image)} channels where {len(scales)} were scaled")
        return cast(MetaTensor, image * _column(image, scales[: len(image)]))


class ScaleContrastsd(MapTransform, InvertibleTransform):
    """Dictionary version of :class:`ScaleContrasts`.

    Args:
        keys: of images.
        reference_key: of the image whose numbers all are divided by; each by its own where it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`ScaleContrasts`.
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
        self.transform = ScaleContrasts(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Scale what is at every key."""
        out = dict(data)
        scales = None if self.reference_key is None else self.transform.scales_of(out[self.reference_key])
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key], scales)
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Undo the scaling of every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform.inverse(out[key])
        return out


def _column(image: Tensor, scales: list[float]) -> Tensor:
    return image.new_tensor(scales).view(-1, *[1] * (image.ndim - 1))

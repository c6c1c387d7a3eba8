"""Lower the resolution of images and keep their grid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable
from torch import Tensor

from ..operators.zero_filled_resolution import agree_with_low_resolution, lower_resolution


class RandLowerResolutiond(Randomizable, MapTransform):
    """Lower the in-plane resolution of channels by a factor that is drawn.

    Args:
        keys: of images ``(c, x, y)``, or volumes ``(c, x, y, slices)``.
        factors: to draw from, with equal chance; a single one leaves nothing to chance.
        channels: whose resolution is lowered.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: if there is no factor, or one is below one.
    """

    def __init__(
        self,
        keys: KeysCollection,
        factors: Sequence[float] = (2, 4),
        channels: Sequence[int] = (0,),
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if not factors or min(factors) < 1:
            raise ValueError(f"factors must not be below 1, got {factors}")
        self.factors = tuple(factors)
        self.channels = tuple(channels)
        self.factor = self.factors[0]

    def randomize(self, data: Any = None) -> None:
        """Draw the factor."""
        self.factor = self.factors[self.R.randint(len(self.factors))]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Lower the resolution at every key by the same factor."""
        out = dict(data)
        self.randomize()
        for key in self.key_iterator(out):
            out[key] = self._lowered(out[key])
        return out

    def _lowered(self, image: Tensor) -> Tensor:
        lowered = image.clone()
        for channel in self.channels:
            values = image.as_tensor()[channel] if isinstance(image, MetaTensor) else image[channel]
            lowered[channel] = _in_planes(values, lambda planes: lower_resolution(planes, self.factor))
        return lowered


class AgreeWithLowResolutiond(MapTransform):
    """Make results agree exactly with the low resolution that they were made from, see above.

    Args:
        keys: of results ``(c, x, y, slices)``.
        image_key: of the image whose first c channels are zero-filled.
        factor: of truncation.
        is_enabled: do nothing otherwise.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(
        self,
        keys: KeysCollection,
        image_key: str,
        factor: float,
        is_enabled: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image_key = image_key
        self.factor = factor
        self.is_enabled = is_enabled

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Correct what is at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            if self.is_enabled:
                result, given = out[key], out[self.image_key]
                planes = [t.as_tensor().double().cpu().movedim(-1, 1) for t in (result, given[: len(result)])]
                agreed = agree_with_low_resolution(planes[0], planes[1], self.factor).movedim(1, -1)
                out[key] = MetaTensor(agreed.to(result), meta=dict(result.meta))
        return out


def _in_planes(values: Tensor, function: Any) -> Tensor:
    """Apply ``function`` to the planes of the first two axes."""
    if values.ndim == 2:
        return cast(Tensor, function(values))
    return cast(Tensor, function(values.movedim(-1, 0)).movedim(0, -1))

"""Zero-filled reconstruction: the image of k-space whose unmeasured samples are zero."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from torch import Tensor

from .coil_combination import CombineCoils
from .fourier import AXES, kspace_to_image, matching_keys


class ZeroFilled(Transform):
    """Reconstruct the magnitude image of masked k-space, coils combined by :class:`CombineCoils`.

    Args:
        axes: of k-space, centered and orthonormal.
        coil_axis: is kept, with one element.
    """

    def __init__(self, axes: Sequence[int] = AXES, coil_axis: int = 0) -> None:
        self.axes = tuple(axes)
        self.combine = CombineCoils(coil_axis)

    def __call__(self, kspace: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Return ``|x|``, real, of one channel."""
        return self.combine(kspace_to_image(kspace, self.axes), coil_maps).abs()


class ZeroFilledd(MapTransform):
    """Dictionary version of :class:`ZeroFilled`.

    Args:
        keys: of masked k-space.
        output_keys: where the images go; in place if it is None.
        maps_key: of coil sensitivities; root sum of squares where it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`ZeroFilled`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        maps_key: str | None = None,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = matching_keys(self.keys, output_keys)
        self.maps_key = maps_key
        self.transform = ZeroFilled(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Reconstruct what is at every key."""
        out = dict(data)
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.transform(out[key], None if self.maps_key is None else out[self.maps_key])
        return out

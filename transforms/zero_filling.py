"""Zero-filled reconstruction as a dictionary transform."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..operators import zero_filled_image
from .keyed import matching_keys


class ZeroFilledd(MapTransform):
    """Reconstruct the magnitude image of masked k-space, see :func:`zero_filled_image`.

    Args:
        keys: of masked k-space.
        output_keys: where the images go; in place if it is None.
        maps_key: of coil sensitivities; root sum of squares where it is None.
        allow_missing_keys: skip keys that are not there.
        options: ``axes`` and ``coil_axis`` of :func:`zero_filled_image`.
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
        self.options = options

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Reconstruct what is at every key."""
        out = dict(data)
        maps = None if self.maps_key is None else out[self.maps_key]
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = zero_filled_image(out[key], maps, **self.options)
        return out

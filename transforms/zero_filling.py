"""Zero-filled reconstruction as a dictionary transform."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection

from ..operators import zero_filled_image
from .keyed import KeyedTransform, of_options


class ZeroFilledd(KeyedTransform):
    """Reconstruct the magnitude image of masked k-space: dictionary version of :func:`zero_filled_image`.

    Args:
        keys: of masked k-space.
        output_keys: where the images go; in place if it is None.
        maps_key: of coil sensitivities; root sum of squares where it is None.
        options: see :class:`KeyedTransform`.
    """

    array = of_options(zero_filled_image)

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        maps_key: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(keys, output_keys, **options)
        self.maps_key = maps_key

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the coil maps."""
        return {} if self.maps_key is None else {"coil_maps": data[self.maps_key]}

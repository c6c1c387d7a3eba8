"""Units of field maps, and what one is in another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from torch import Tensor

from ..operators.field_units import FieldUnit, units_per_ppm


class ConvertFieldUnit(Transform):
    """Convert a field map; see :func:`units_per_ppm`.

    Args:
        source: unit of the input.
        target: unit of the output.
        b0: T.
        echo_time: s.

    Raises:
        ValueError: if a unit is unknown or lacks what it needs.
    """

    def __init__(
        self, source: FieldUnit, target: FieldUnit = "ppm", b0: float | None = None, echo_time: float | None = None
    ) -> None:
        self.factor = units_per_ppm(target, b0, echo_time) / units_per_ppm(source, b0, echo_time)

    def __call__(self, field: Tensor) -> Tensor:
        """Return the map in the other unit."""
        return field * self.factor


class ConvertFieldUnitd(MapTransform):
    """Dictionary version of :class:`ConvertFieldUnit`.

    Args:
        keys: of field maps.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`ConvertFieldUnit`.
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False, **options: Any) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = ConvertFieldUnit(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Convert the map at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key])
        return out

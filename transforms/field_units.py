"""Units of field maps: what they are, what they become, and whether they can be what is said."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any, Literal, get_args

from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from scipy.constants import physical_constants
from torch import Tensor

from ..datasets.input_error import InputError

FieldUnit = Literal["ppm", "ppb", "hz", "rad"]
Quantity = Literal["field", "susceptibility"]

GYROMAGNETIC_RATIO = physical_constants["proton gyromag. ratio in MHz/T"][0] * 1e6
"""Of the proton over 2 pi, Hz/T (CODATA)."""

# Root mean square over the voxels that are not zero, in ppm, of brains; ten times as much is refused.
TYPICAL_PPM: dict[str, float] = {"field": 0.02, "susceptibility": 0.06}
LARGEST_PPM: dict[str, float] = {"field": 5.0, "susceptibility": 10.0}


def units_per_ppm(unit: FieldUnit, b0: float | None = None, echo_time: float | None = None) -> float:
    """Tell how much of a unit one ppm is.

    A shift of ``f`` ppm is ``gamma b0 f`` Hz with gamma in MHz/T, and ``2 pi gamma b0 f echo_time`` rad: phase is
    taken to grow with the field. (Scanners of some makers have it the other way round; change its sign first.)

    Args:
        unit: one of ``ppm``, ``ppb``, ``hz``, ``rad``.
        b0: T, needed for Hz and rad.
        echo_time: s, needed for rad.

    Raises:
        ValueError: if the unit is unknown, or something that it needs is None or not positive.
    """
    if unit not in get_args(FieldUnit):
        raise ValueError(f"unit must be one of {', '.join(get_args(FieldUnit))}, got {unit!r}")
    if unit in ("ppm", "ppb"):
        return 1.0 if unit == "ppm" else 1e3
    hz = GYROMAGNETIC_RATIO * 1e-6 * _positive("b0", b0, unit)
    return hz if unit == "hz" else 2 * math.pi * hz * _positive("echo_time", echo_time, unit)


def convert_field(
    field: Tensor, source: FieldUnit, target: FieldUnit, b0: float | None = None, echo_time: float | None = None
) -> Tensor:
    """Convert a field map between ppm, ppb, Hz and rad; see :func:`units_per_ppm` for the arguments.

    Raises:
        ValueError: if a unit is unknown or lacks what it needs.
    """
    return field * (units_per_ppm(target, b0, echo_time) / units_per_ppm(source, b0, echo_time))


def check_is_ppm(values: Tensor, what: Quantity = "field", place: str | None = None) -> None:
    """Refuse a map of a brain whose values cannot be ppm, and name the unit that they are likely in.

    Zeros do not count, so that a masked map is judged by its inside. Phase of an echo time of a few milliseconds is
    too small to tell from ppm.

    Args:
        values: the map.
        what: ``"field"`` (local, without background) or ``"susceptibility"``.
        place: the file, for the message.

    Raises:
        InputError: if values are not finite, or too large.
    """
    inside = values[values != 0].double()
    if not inside.numel():
        return
    spread, largest = float(inside.square().mean().sqrt()), float(inside.abs().max())
    if not math.isfinite(largest):
        raise InputError.at(place or what, "holds values that are not finite", "set them to zero")
    if spread <= 10 * TYPICAL_PPM[what] and largest <= LARGEST_PPM[what]:
        return
    problem = f"values (root mean square {spread:.3g}, largest {largest:.3g}) cannot be a {what} in ppm"
    raise InputError.at(place or what, problem, _remedy(spread, largest, what))


class ConvertFieldUnit(Transform):
    """Convert a field map; see :func:`convert_field`.

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


def _remedy(spread: float, largest: float, what: Quantity) -> str:
    """Name the unit in which the spread would be nearest to a brain's, at 3 T and an echo time of 20 ms."""
    units: list[FieldUnit] = ["ppb"] if what == "susceptibility" else ["hz", "ppb"]
    if what == "field" and largest <= math.pi + 1e-3:
        units.append("rad")
    names = {"hz": "Hz", "ppb": "ppb", "rad": "rad"}
    distance = {unit: abs(math.log(spread / units_per_ppm(unit, 3.0, 0.02) / TYPICAL_PPM[what])) for unit in units}
    remedy = f"it is likely in {names[min(units, key=distance.__getitem__)]}: convert it"
    return remedy if what == "susceptibility" else f"{remedy}, or remove the background field"


def _positive(name: str, value: float | None, unit: str) -> float:
    if value is None or not value > 0:
        raise ValueError(f"{unit} needs a positive {name}, got {value}")
    return float(value)

"""Refuse maps whose values cannot be ppm."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from ..datasets.input_error import InputError
from ..operators.field_units import FieldUnit, units_per_ppm

Quantity = Literal["field", "susceptibility"]

# Root mean square over the voxels that are not zero, in ppm, of brains; ten times as much is refused, and of a field a
# twentieth, an eighth of the weakest that was seen.
TYPICAL_PPM: dict[str, float] = {"field": 0.02, "susceptibility": 0.06}
CLOSE = math.log(2.0)  # of how far two units are from the typical, within which none is likelier
LARGEST_PPM: dict[str, float] = {"field": 5.0, "susceptibility": 10.0}


def check_is_ppm(values: Tensor, what: Quantity = "field", place: str | None = None, remedy: str | None = None) -> None:
    """Refuse a map of a brain whose values cannot be ppm, and name the unit that they are likely in.

    Zeros do not count, so that a masked map is judged by its inside. Phase of an echo time of a few milliseconds is
    too small to tell from ppm.

    Args:
        values: the map.
        what: ``"field"`` (local, without background) or ``"susceptibility"``.
        place: the file, for the message.
        remedy: for the message; None for one that names a likely unit.

    Raises:
        InputError: if values are not finite, or too large, or those of a field too small.
    """
    inside = values[values != 0].double()
    if not inside.numel():
        return
    spread, largest = float(inside.square().mean().sqrt()), float(inside.abs().max())
    if not math.isfinite(largest):
        raise InputError.at(place or what, "holds values that are not finite", "set them to zero")
    if what == "field" and spread < TYPICAL_PPM[what] / 20:
        problem = f"values (root mean square {spread:.3g}) are too small for a field of a brain in ppm"
        raise InputError.at(place or what, problem, remedy or _remedy_of_small(spread))
    if spread <= 10 * TYPICAL_PPM[what] and largest <= LARGEST_PPM[what]:
        return
    problem = f"values (root mean square {spread:.3g}, largest {largest:.3g}) cannot be a {what} in ppm"
    raise InputError.at(place or what, problem, remedy or _remedy(spread, largest, what))


def _remedy_of_small(spread: float) -> str:
    """Name what would make the spread that of a brain: another unit of the file, or an echo time in ms."""
    if spread * 1e6 < 10 * TYPICAL_PPM["field"]:
        return "it is likely a fraction of B0, or in T: convert it to ppm"
    return "check `field_unit` (is it in ppm already?), `b0` (T) and `echo_time` (s)"


def _remedy(spread: float, largest: float, what: Quantity) -> str:
    """Name the unit in which the spread would be nearest to a brain's, at 3 T and an echo time of 20 ms, and others."""
    units: list[FieldUnit] = ["ppb"] if what == "susceptibility" else ["hz", "ppb"]
    if what == "field" and largest <= math.pi + 1e-3:
        units.append("rad")
    names = {"hz": "Hz", "ppb": "ppb", "rad": "rad"}
    distance = {unit: abs(math.log(spread / units_per_ppm(unit, 3.0, 0.02) / TYPICAL_PPM[what])) for unit in units}
    nearest = min(distance.values())
    likely = [names[unit] for unit in sorted(units, key=distance.__getitem__) if distance[unit] < nearest + CLOSE]
    remedy = f"it is likely in {' or '.join(likely)}: convert it"
    return remedy if what == "susceptibility" else f"{remedy}, or remove the background field"

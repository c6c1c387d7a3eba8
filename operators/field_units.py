"""Units of field maps, and what one is in another."""

from __future__ import annotations

import math
from typing import Literal, get_args

from scipy.constants import physical_constants

FieldUnit = Literal["ppm", "ppb", "hz", "rad"]

GYROMAGNETIC_RATIO = physical_constants["proton gyromag. ratio in MHz/T"][0] * 1e6
"""Of the proton over 2 pi, Hz/T (CODATA)."""


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


def _positive(name: str, value: float | None, unit: str) -> float:
    if value is None:
        raise ValueError(f"{unit} needs {name}, which is not told")
    if not value > 0:
        raise ValueError(f"{unit} needs a positive {name}, got {value}")
    return float(value)

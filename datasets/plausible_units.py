"""Field strengths and echo times that can be meant, and the unit of those that cannot."""

from __future__ import annotations

import math
from typing import Any

from .input_error import InputError

B0_RANGE = (0.005, 30.0)
"""T: from prepolarized low fields to spectrometers."""

ECHO_TIME_RANGE = (1e-5, 0.5)
"""s: from ultrashort to the longest of gradient and spin echoes."""

STRENGTHS = (0.55, 1.0, 1.5, 3.0, 4.7, 7.0, 9.4, 11.7)
"""T, of the scanners that there are most of; they tell the likely unit of others."""

B0_UNITS = {"mT": 1e-3, "gauss": 1e-4, "MHz": 1 / 42.577, "Hz": 1 / 42.577e6}
"""T of one."""


def checked_b0(value: Any, place: str) -> float:
    """Return a field strength (T) as number.

    Raises:
        InputError: if it is no number, or no magnet has it; with the likely unit.
    """
    b0 = _number(value, place, "a field strength in T")
    if B0_RANGE[0] <= b0 <= B0_RANGE[1]:
        return b0
    remedy = "write it in T"
    if b0 > B0_RANGE[1]:
        unit = min(B0_UNITS, key=lambda name: _distance(b0 * B0_UNITS[name]))
        remedy = f"it is likely in {unit}: write {float(f'{b0 * B0_UNITS[unit]:.3g}'):g}"
    raise InputError.at(place, f"{b0:g} T is the field of no scanner", remedy)


def checked_echo_time(value: Any, place: str) -> float:
    """Return an echo time (s), which may stand alone in a list, as number.

    Raises:
        InputError: if it is no number, or no image has it; with the likely unit.
    """
    if isinstance(value, list | tuple) and len(value) == 1:
        (value,) = value
    if isinstance(value, list | tuple):
        problem = f"has {len(value)} echo times, where the phase is of one"
        raise InputError.at(place, problem, "give the phase of one echo with its time")
    echo_time = _number(value, place, "an echo time in s")
    if ECHO_TIME_RANGE[0] <= echo_time <= ECHO_TIME_RANGE[1]:
        return echo_time
    remedy = "write it in s"
    if echo_time > ECHO_TIME_RANGE[1]:
        unit, factor = ("ms", 1e-3) if echo_time < 1000 else ("microseconds", 1e-6)
        remedy = f"it is likely in {unit}: write {echo_time * factor:g}"
    raise InputError.at(place, f"{echo_time:g} s is the echo time of no image", remedy)


def _number(value: Any, place: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError.at(place, f"{value!r} is no number", f"write {what} as a number, without quotes")
    return float(value)


def _distance(b0: float) -> float:
    return min(abs(math.log(b0 / strength)) for strength in STRENGTHS)

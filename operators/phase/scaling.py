"""What the numbers of a phase image are in radians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from .unwrapping import wrap

FILLED = 0.9  # of a known range, by the values of a head, whose noise has every phase
ROUNDING = 0.003  # of a known range, beyond its ends
LARGEST_RADIANS = 200.0  # of phase that was unwrapped before
SMALLEST_SPAN = 0.1  # rad; noise alone has more


class PhaseScale(NamedTuple):
    """The values that are -pi and pi.

    Attributes:
        low: what is -pi.
        high: what is pi.
        name: of the convention.
    """

    low: float
    high: float
    name: str

    def __call__(self, values: Tensor) -> Tensor:
        """Return phase (rad), from -pi to pi."""
        return wrap((values - self.low) * (2 * math.pi / (self.high - self.low)) - math.pi)


RADIANS = PhaseScale(-math.pi, math.pi, "radians")
MILLIRADIANS = PhaseScale(-1000 * math.pi, 1000 * math.pi, "milliradians")
DEGREES = PhaseScale(-180.0, 180.0, "degrees")
UNSIGNED = PhaseScale(0.0, 4096.0, "0 to 4095")
SIGNED = PhaseScale(-4096.0, 4096.0, "-4096 to 4095")

POSITIVE_RADIANS = PhaseScale(0.0, 2 * math.pi, "radians from 0 to 2 pi")


def phase_scale(
    low: float,
    high: float,
    manufacturer: str | None = None,
    units: str | None = None,
    phase_range: Sequence[float] | None = None,
) -> PhaseScale:
    """Tell what phase the values of an image are, from their range over all echoes.

    Known are radians (Philips and others, -pi to pi or 0 to 2 pi), thousandths of them (GE and Philips, about -3142 to
    3142), degrees, and the integers of Siemens: 0 to 4095, where 0 is -pi and 4096 would be pi, and -4096 to 4094 or
    4095, which their rescaling makes of them. Values have to fill nine tenths of the range; where they do not, the
    maker of the scanner tells, or ``units``.

    Args:
        low: smallest value.
        high: largest value.
        manufacturer: of the scanner, as the sidecar's ``Manufacturer``.
        units: as the sidecar's ``Units``; only ``rad`` tells something.
        phase_range: values that are -pi and pi, which goes before all else.

    Raises:
        ValueError: if values are beyond ``phase_range`` or what ``units`` say, or it cannot be known what they are.
    """
    if phase_range is not None:
        return _stated(low, high, phase_range)
    if (units or "").lower() in ("rad", "radian", "radians"):
        if max(-low, high) > LARGEST_RADIANS or high - low < SMALLEST_SPAN:
            raise ValueError(f"values from {low:g} to {high:g} are no radians, of which the sidecar's Units speak")
        return RADIANS
    for scale in (RADIANS, MILLIRADIANS, DEGREES, UNSIGNED, SIGNED):
        if _is_within(low, high, scale) and high - low >= FILLED * (scale.high - scale.low):
            return scale
    if _is_within(low, high, POSITIVE_RADIANS) and high - low >= FILLED * 2 * math.pi:
        return RADIANS
    return _of_maker(low, high, (manufacturer or "").lower())


def _stated(low: float, high: float, phase_range: Sequence[float]) -> PhaseScale:
    scale = PhaseScale(float(phase_range[0]), float(phase_range[1]), "as stated")
    if not -math.inf < scale.low < scale.high < math.inf:
        raise ValueError(f"`phase_range` must ascend, got {scale.low:g} to {scale.high:g}")
    if not _is_within(low, high, scale):
        raise ValueError(f"values from {low:g} to {high:g} are beyond `phase_range`, {scale.low:g} to {scale.high:g}")
    return scale


def _is_within(low: float, high: float, scale: PhaseScale) -> bool:
    margin = ROUNDING * (scale.high - scale.low)
    return scale.low - margin <= low and high <= scale.high + margin


def _of_maker(low: float, high: float, maker: str) -> PhaseScale:
    candidates: tuple[PhaseScale, ...] = ()
    if "siemens" in maker:
        candidates = (UNSIGNED, SIGNED)
    elif maker.startswith("ge") or "philips" in maker:
        candidates = (RADIANS, MILLIRADIANS)
    for scale in candidates:
        if _is_within(low, high, scale) and high - low >= 0.1 * (scale.high - scale.low):
            return scale
    raise ValueError(f"values from {low:g} to {high:g} are phase in no known scale")

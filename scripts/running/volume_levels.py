"""Which volumes of a probability map are the ends of the interval in which the lesion volume lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...datasets import InputError

if TYPE_CHECKING:
    from .configuration import Configuration


@dataclass(frozen=True)
class VolumeLevels:
    """The masks whose volumes are the ends of an interval.

    Attributes:
        low: threshold of the probability that gives the larger volume.
        high: threshold that gives the smaller one.
        smallest_lesion: mm^3 of a lesion that stays, in these masks as in that of the result.
    """

    low: float
    high: float
    smallest_lesion: float = 0.0

    @classmethod
    def of(cls, configuration: Configuration) -> VolumeLevels | None:
        """Read a config's `volume_interval` and `smallest_lesion`; None where it has none.

        Raises:
            InputError: if these are not two thresholds, the lower one first.
        """
        levels = configuration.value("volume_interval") if "volume_interval" in configuration else None
        if levels is None:
            return None
        smallest = configuration.value("smallest_lesion") if "smallest_lesion" in configuration else 0.0
        try:
            low, high = map(float, levels)
        except (TypeError, ValueError):
            low, high = 1.0, 0.0
        if not 0 < low <= high < 1:
            remedy = "give two between 0 and 1 as in [0.1,0.9], or null for no interval"
            raise InputError.at(f"`volume_interval` {levels}", "not two thresholds, the lower one first", remedy)
        return cls(low, high, float(smallest))

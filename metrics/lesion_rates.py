"""Lesion-wise rates, counts and volumes from lesions of which one knows whether they were met."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Numerator = Literal["predicted", "golden"]


@dataclass(frozen=True)
class LesionMatch:
    """Lesions of one pair of masks (or of several, pooled), with the flags that say which were met.

    Attributes:
        true_volumes: volume of each true ("golden") lesion in mm^3, shape ``(n_true,)``.
        predicted_volumes: volume of each predicted lesion in mm^3, shape ``(n_predicted,)``.
        true_hits: whether the prediction overlaps each true lesion, shape ``(n_true,)``.
        predicted_hits: whether the truth overlaps each predicted lesion, shape ``(n_predicted,)``.
        dice: Dice coefficient of the two masks; NaN when both are empty, and for a part of the lesions.
    """

    true_volumes: NDArray[np.float64]
    predicted_volumes: NDArray[np.float64]
    true_hits: NDArray[np.bool_]
    predicted_hits: NDArray[np.bool_]
    dice: float

    def true_positive_rate(self) -> float:
        """Return LTPR, the found part of the true lesions; NaN without true lesions."""
        return _ratio(self.true_hits.sum(), self.true_hits.size)

    def positive_predictive_value(self, numerator: Numerator = "predicted") -> float:
        """Return LPPV; NaN without predicted lesions.

        Args:
            numerator: ``"predicted"`` counts the predicted lesions that overlap the truth (one minus the
                lesion false discovery rate, Carass et al. 2017, doi:10.1016/j.neuroimage.2016.12.064);
                ``"golden"`` counts the true lesions that were found, as the text of Zhang et al. 2021
                (arXiv:2009.05576) literally says: above 1 when one predicted lesion covers several true ones.

        Raises:
            ValueError: for another ``numerator``.
        """
        check_numerator(numerator)
        hits = self.predicted_hits if numerator == "predicted" else self.true_hits
        return _ratio(hits.sum(), self.predicted_hits.size)

    def f1(self, numerator: Numerator = "predicted") -> float:
        """Return L-F1, the harmonic mean of LTPR and LPPV.

        It is 0 as soon as one of them is 0, whatever the other: for a prediction without lesions where
        there are some, and the reverse. It is NaN when both are undefined, or one is and the other is not 0
        (possible only within a size range).
        """
        rates = self.true_positive_rate(), self.positive_predictive_value(numerator)
        return 0.0 if 0.0 in rates else 2 * rates[0] * rates[1] / (rates[0] + rates[1])

    def within(self, low: float, high: float) -> LesionMatch:
        """Return the lesions with ``low <= volume < high`` in mm^3, each judged by its own volume.

        The flags stay: whether the other mask, with lesions of all sizes, overlaps the lesion.
        """
        check_size_range((low, high))
        if (low, high) == (0, math.inf):
            return self
        true, predicted = ((low <= v) & (v < high) for v in (self.true_volumes, self.predicted_volumes))
        volumes = self.true_volumes[true], self.predicted_volumes[predicted]
        return LesionMatch(*volumes, self.true_hits[true], self.predicted_hits[predicted], math.nan)

    def as_row(self, numerator: Numerator = "predicted") -> dict[str, float]:
        """Return all numbers by name: rates, counts (lesions, found, correct) and volumes in ml."""
        return {
            "DSC": self.dice,
            "LTPR": self.true_positive_rate(),
            "LPPV": self.positive_predictive_value(numerator),
            "L-F1": self.f1(numerator),
            "n_true": float(self.true_hits.size),
            "n_found": float(self.true_hits.sum()),
            "n_predicted": float(self.predicted_hits.size),
            "n_correct": float(self.predicted_hits.sum()),
            "true_volume_ml": float(self.true_volumes.sum()) / 1000,
            "predicted_volume_ml": float(self.predicted_volumes.sum()) / 1000,
        }


def size_table(
    matches: Iterable[LesionMatch],
    edges: Sequence[float] = (0, 10, 50, 100, math.inf),
    numerator: Numerator = "predicted",
) -> list[dict[str, float]]:
    """Split the pooled lesions of ``matches`` by size: one row from each of ``edges`` (mm^3) to the next.

    A row has ``low_mm3``, ``high_mm3`` and the names of :meth:`LesionMatch.as_row`, without Dice. Rates are
    over all lesions of the row, not means over cases. :meth:`LesionMatch.within` says who belongs to a row.

    Raises:
        ValueError: if ``edges`` are fewer than two, negative or not increasing, or ``numerator`` is unknown.
    """
    if len(edges) < 2:
        raise ValueError(f"edges must be at least two, got {edges}")
    pooled = _pool(matches)
    table = []
    for low, high in pairwise(edges):
        row = pooled.within(low, high).as_row(numerator)
        del row["DSC"]
        table.append({"low_mm3": float(low), "high_mm3": float(high), **row})
    return table


def check_numerator(numerator: str) -> None:
    """Raise ValueError unless ``numerator`` names a form of LPPV."""
    if numerator not in ("predicted", "golden"):
        raise ValueError(f"numerator must be 'predicted' or 'golden', got {numerator!r}")


def check_size_range(size_range: tuple[float, float]) -> None:
    """Raise ValueError unless ``0 <= low < high``."""
    if not 0 <= size_range[0] < size_range[1]:
        raise ValueError(f"size_range must have 0 <= low < high, got {tuple(size_range)}")


def _pool(matches: Iterable[LesionMatch]) -> LesionMatch:
    names = ("true_volumes", "predicted_volumes", "true_hits", "predicted_hits")
    lesions = [NO_LESIONS, *matches]
    return LesionMatch(**{name: np.concatenate([getattr(m, name) for m in lesions]) for name in names}, dice=math.nan)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan


NO_LESIONS = LesionMatch(np.zeros(0), np.zeros(0), np.zeros(0, bool), np.zeros(0, bool), math.nan)
"""Of two empty masks."""

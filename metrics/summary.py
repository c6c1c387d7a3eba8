"""Summaries of metrics over cases and their paired comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of ``n`` pairs and its confidence interval."""

    n: int
    mean: float
    low: float
    high: float


def summarize(rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Describe each metric over cases: ``n``, ``mean``, ``std`` (sample), ``median``, ``min``, ``max``.

    NaN is left out and ``n`` counts the rest; what cannot be computed is NaN (all but ``n`` without values,
    ``std`` of one value).

    Args:
        rows: one dictionary from metric to value per case.

    Raises:
        ValueError: if ``rows`` is empty or a row has other metrics than the first.
    """
    if not rows:
        raise ValueError("rows must hold at least one case, got none")
    for i, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            raise ValueError(f"row {i} has metrics {sorted(row)}, row 0 has {sorted(rows[0])}")
    return {name: _describe(np.array([row[name] for row in rows], dtype=float)) for name in rows[0]}


def paired_bootstrap(
    a: ArrayLike, b: ArrayLike, n_resamples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> PairedDifference:
    """Estimate the mean of ``a - b`` over cases with its percentile bootstrap interval.

    Cases are drawn with replacement, each with both of its values (Efron and Tibshirani 1993, section 13.3).
    Intervals from fewer than about ten cases are too narrow.

    Args:
        a: values of one method, shape ``(n_cases,)``; a pair with a NaN is left out.
        b: values of the other on the same cases, same shape.
        n_resamples: number of resampled sets of cases.
        confidence: probability that the interval is meant to have.
        seed: of the resampling.

    Raises:
        ValueError: for shapes that differ or are not 1D, no pair without NaN, or an option out of its range.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"a and b must have equal shapes (n_cases,), got {a.shape} and {b.shape}")
    if n_resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"n_resamples >= 1 and 0 < confidence < 1 needed, got {n_resamples}, {confidence}")
    differences = (a - b)[~np.isnan(a - b)]
    if not differences.size:
        raise ValueError(f"no pair without NaN among {a.size}")
    mean = float(differences.mean())
    if differences.size == 1:  # scipy refuses a single one; every resample is that
        return PairedDifference(1, mean, mean, mean)
    low, high = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=n_resamples,
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return PairedDifference(differences.size, mean, float(low), float(high))


def _describe(values: NDArray[np.float64]) -> dict[str, float]:
    values = values[~np.isnan(values)]
    if not values.size:
        return {"n": 0, **dict.fromkeys(("mean", "std", "median", "min", "max"), math.nan)}
    return {
        "n": values.size,
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if values.size > 1 else math.nan,
        "median": float(np.median(values)),
        "min": float(values.min()),
        "max": float(values.max()),
    }

"""Comparing times that were measured in turn."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def ratio(times: Sequence[float], reference: Sequence[float]) -> str:
    """Return median and quartiles of the ratios of times of the same round."""
    ratios = [a / b for a, b in zip(times, reference, strict=False)]
    if len(ratios) < 2:
        return f"{ratios[0]:.2f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def milliseconds(times: Sequence[float]) -> str:
    """Return the median of seconds, in milliseconds."""
    return f"{1000 * statistics.median(times):.3g}"

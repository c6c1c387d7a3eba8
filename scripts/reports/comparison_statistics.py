"""Statistics of a comparison: each network over cases and seeds, and its difference from the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...metrics import paired_bootstrap
from ..running.comparison_plan import Training, short_name
from .metric_texts import COUNTS

NOTHING = {"difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan}


def describe_network(trainings: Sequence[Training], network: str, baseline: str) -> dict[str, Any]:
    """Describe each metric of a network over cases, and its difference from the baseline's.

    A case's value is the mean over seeds. ``seed_sd`` is the standard deviation of the seeds' means over cases. The
    difference has the 95 % interval of the paired bootstrap over cases and the p-value of Wilcoxon's signed-rank test
    (two-sided), NaN where every difference is zero or none is defined.
    """
    own, others = ([t for t in trainings if t.network == name] for name in (network, baseline))
    result: dict[str, Any] = {
        "network": short_name(network),
        "parameters": own[0].parameters,
        "seeds": len(own),
        "steps": sorted({training.steps for training in own}),
        "seconds": float(np.mean([training.seconds for training in own])),
        "learning_rate": own[0].learning_rate,
        "tried": own[0].tried,
        "metrics": {},
    }
    for metric in judging_metrics(trainings):
        values = metric_values(own, metric)
        cases = mean_of_defined(values, 0)
        described = {"n": int(np.isfinite(cases).sum()), "mean": float(mean_of_defined(cases))}
        described |= {"sd": _spread(cases), "seed_sd": _spread(mean_of_defined(values, 1))}
        if network != baseline:
            described |= _difference(cases, mean_of_defined(metric_values(others, metric), 0))
        result["metrics"][metric] = described
    return result


def judging_metrics(trainings: Sequence[Training]) -> list[str]:
    """Return the metrics that judge a network."""
    return [metric for metric in trainings[0].rows[0] if metric not in COUNTS]


def metric_values(trainings: Sequence[Training], metric: str) -> NDArray[np.float64]:
    """Return the values ``(seeds, cases)`` of a metric."""
    return np.array([[row[metric] for row in training.rows] for training in trainings], dtype=float)


def mean_of_defined(values: NDArray[np.float64], axis: int | None = None) -> NDArray[np.float64]:
    """Return the mean of what is not NaN, NaN where all is."""
    mean: NDArray[np.float64] = np.ma.filled(np.ma.masked_invalid(values).mean(axis), np.nan)
    return mean


def _spread(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.std(ddof=1)) if defined.size > 1 else np.nan


def _difference(values: NDArray[np.float64], others: NDArray[np.float64]) -> dict[str, float]:
    differences = (values - others)[~np.isnan(values - others)]
    if not differences.size:
        return NOTHING
    interval = paired_bootstrap(values, others)
    p = float(stats.wilcoxon(differences).pvalue) if differences.any() else np.nan
    return {"difference": interval.mean, "low": interval.low, "high": interval.high, "p": p}

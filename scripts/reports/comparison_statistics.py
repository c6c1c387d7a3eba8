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


def describe_network(trainings: Sequence[Training], contender: str, baseline: str) -> dict[str, Any]:
    """Describe each metric of a network (under a condition) over cases, and its difference from the baseline's.

    A case's value is the mean over seeds. ``seed_sd`` is the standard deviation of the seeds' means over cases. The
    difference has the 95 % interval of the paired bootstrap over cases and the p-value of Wilcoxon's signed-rank test
    (two-sided), NaN where every difference is zero or none is defined.
    """
    own, others = ([t for t in trainings if t.contender == name] for name in (contender, baseline))
    result: dict[str, Any] = {
        "network": short_name(contender),
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
        if contender != baseline:
            described |= _difference(cases, mean_of_defined(metric_values(others, metric), 0))
        result["metrics"][metric] = described
    return result


def describe_all(trainings: Sequence[Training], baseline: str) -> list[dict[str, Any]]:
    """Describe each network (under each condition) as :func:`describe_network` does."""
    contenders = dict.fromkeys(training.contender for training in trainings)
    return [describe_network(trainings, contender, baseline) for contender in contenders]


def contender_of(trainings: Sequence[Training], network: str) -> str:
    """Return what others are tested against: ``network`` under the first condition."""
    return next(training.contender for training in trainings if training.network == network)


def under_first_condition(trainings: Sequence[Training]) -> list[Training]:
    """Return each training once, where networks were tested under several conditions."""
    return [training for training in trainings if training.condition == trainings[0].condition]


def by_contender(trainings: Sequence[Training]) -> dict[str, list[Training]]:
    """Return the trainings of each network (under each condition), by its name in tables."""
    found: dict[str, list[Training]] = {}
    for training in trainings:
        found.setdefault(short_name(training.contender), []).append(training)
    return found


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

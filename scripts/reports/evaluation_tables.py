"""Metrics of networks over cases: every value, statistics, and the tables that show networks side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ..running.evaluation import Evaluation
from .metric_texts import COUNTS, decimals_of, mean_text, number_text, title_of
from .table import Table


def by_condition(evaluations: Sequence[Evaluation]) -> list[list[Evaluation]]:
    """Return the evaluations of each condition in turn."""
    return [list(group) for _, group in groupby(evaluations, key=lambda evaluation: evaluation.condition)]


def value_table(evaluations: Sequence[Evaluation]) -> Table:
    """Return one row per condition, network and case, with a column per varied id and per metric."""
    rows = [
        [*evaluation.condition.values(), evaluation.network, case, *row.values()]
        for evaluation in evaluations
        for case, row in zip(evaluation.case_names, evaluation.rows, strict=True)
    ]
    return Table([*evaluations[0].condition, "network", "case", *evaluations[0].rows[0]], rows)


def statistics_of(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Return the statistics of each metric by network, and where something varied in a list of conditions."""
    found = [
        {"settings": group[0].condition, "networks": {each.network: each.statistics for each in group}}
        for group in by_condition(evaluations)
    ]
    return {"conditions": found} if evaluations[0].condition else {"networks": found[0]["networks"]}


def comparison_table(evaluations: Sequence[Evaluation]) -> Table:
    """Return "mean ± sd (median)": one row per metric, one column per network."""
    statistics = [evaluation.statistics for evaluation in evaluations]
    rows = []
    for metric in statistics[0]:
        counts = dict.fromkeys(str(each[metric]["n"]) for each in statistics)
        cells = [_mean_and_median(metric, each[metric]) for each in statistics]
        rows.append([title_of(metric), *cells, "/".join(counts)])
    return Table(["metric", *(evaluation.network for evaluation in evaluations), "n"], rows)


def _mean_and_median(metric: str, statistics: dict[str, float]) -> str:
    median = statistics["median"] if statistics["n"] > 1 else math.nan
    return mean_text(metric, statistics["mean"], statistics["std"], median)


def condition_tables(evaluations: Sequence[Evaluation]) -> list[Table]:
    """Return a table per metric of "mean ± sd": one row per condition, one column per network."""
    groups = by_condition(evaluations)
    header = [*evaluations[0].condition, *(evaluation.network for evaluation in groups[0])]
    metrics = [metric for metric in evaluations[0].rows[0] if metric not in COUNTS]
    return [Table(header, [_condition_row(group, metric) for group in groups], title_of(metric)) for metric in metrics]


def _condition_row(evaluations: Sequence[Evaluation], metric: str) -> list[Any]:
    statistics = [evaluation.statistics[metric] for evaluation in evaluations]
    return [*evaluations[0].condition.values(), *(mean_text(metric, s["mean"], s["std"]) for s in statistics)]


def case_table(evaluation: Evaluation) -> Table:
    """Return one row per case."""
    rows = [
        [case, *(number_text(value, decimals_of(name)) for name, value in row.items())]
        for case, row in zip(evaluation.case_names, evaluation.rows, strict=True)
    ]
    return Table(["case", *map(title_of, evaluation.rows[0])], rows, evaluation.network)

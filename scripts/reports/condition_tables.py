"""Tables of reconstructions under several masks and accelerations: CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .tables import Evaluation

METRICS = {"ssim": ("SSIM", 3), "psnr": ("PSNR (dB)", 2), "nmse": ("NMSE", 4)}


@dataclass(frozen=True)
class Condition:
    """How k-space is undersampled.

    Attributes:
        mask: name, such as ``random``.
        acceleration: all / sampled.
    """

    mask: str
    acceleration: float

    def __str__(self) -> str:
        return f"{self.mask}-{self.acceleration:g}"

    @property
    def title(self) -> str:
        """Such as ``random 4x``."""
        return f"{self.mask} {self.acceleration:g}x"


@dataclass(frozen=True)
class ConditionResult:
    """What one network achieved under one condition.

    Attributes:
        condition: of the k-space.
        evaluation: metrics of its cases.
    """

    condition: Condition
    evaluation: Evaluation


def write_condition_csv(results: Sequence[ConditionResult], path: Path) -> None:
    """Write one row per condition, network and case."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["mask", "acceleration", "network", "case", *METRICS])
        for result in results:
            evaluation, condition = result.evaluation, result.condition
            for case, row in zip(evaluation.case_names, evaluation.rows, strict=True):
                values = (f"{row[name]:.6g}" for name in METRICS)
                writer.writerow([condition.mask, condition.acceleration, evaluation.network, case, *values])


def write_condition_summary(results: Sequence[ConditionResult], provenance: dict[str, Any], path: Path) -> None:
    """Write mean and standard deviation over the cases, and where they come from, as JSON without NaN."""
    conditions: dict[str, dict[str, Any]] = {}
    for result in results:
        statistics = _statistics(result.evaluation.rows)
        conditions.setdefault(str(result.condition), {})[result.evaluation.network] = statistics
    content = {"conditions": conditions, "provenance": provenance}
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def condition_table(results: Sequence[ConditionResult], metric: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of mean ± standard deviation: one row per network, one column per condition."""
    decimals = METRICS[metric][1]
    conditions = list(dict.fromkeys(result.condition for result in results))
    networks = list(dict.fromkeys(result.evaluation.network for result in results))
    cells = {
        (result.evaluation.network, result.condition): _cell(_statistics(result.evaluation.rows)[metric], decimals)
        for result in results
    }
    header = [METRICS[metric][0], *(condition.title for condition in conditions)]
    return header, [[name, *(cells[name, condition] for condition in conditions)] for name in networks]


def write_condition_markdown(results: Sequence[ConditionResult], path: Path) -> None:
    """Write one table per metric."""
    n_cases = len(results[0].evaluation.cases)
    lines = [f"Mean ± standard deviation over {n_cases} volume(s), normalized by the maximum of each reference.", ""]
    for metric in METRICS:
        header, rows = condition_table(results, metric)
        lines += [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def _statistics(rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """Return mean, standard deviation and number of each metric; None for what is undefined."""
    from ...metrics import summarize

    return {
        metric: {name: value if math.isfinite(value := summary[name]) else None for name in ("mean", "std", "n")}
        for metric, summary in summarize(rows).items()
    }


def _cell(statistics: dict[str, float | None], decimals: int) -> str:
    mean, spread = statistics["mean"], statistics["std"]
    if mean is None:
        return "undefined"
    return f"{mean:.{decimals}f}" + ("" if spread is None else f" ± {spread:.{decimals}f}")

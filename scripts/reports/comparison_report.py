"""Statistics, tables and figures of a comparison of networks."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...datasets import Case
from ...metrics import paired_bootstrap
from ..running.comparison_plan import Plan, Training, short_name
from ..running.provenance import describe_run
from ..running.tracking import read_curves
from .comparison_figures import box_figure, side_by_side_figure, training_figure
from .html_report import Picture, Report, Section, Table, write_report
from .markdown import markdown
from .tables import COUNTS, title_of


def write_comparison(
    plan: Plan, trainings: Sequence[Training], baseline: str, dataset_dir: Path
) -> tuple[list[str], list[list[str]]]:
    """Write metrics.csv, comparison.json, comparison.md and report.html; return the table's header and rows."""
    networks = list(dict.fromkeys(training.network for training in trainings))
    cases = [Case.of(case).name for case in plan.test_cases]
    comparison = [describe_network(trainings, network, baseline) for network in networks]
    header, rows = comparison_table(comparison)
    _write_csv(trainings, cases, plan.output_dir / "metrics.csv")
    configs = ["train", "inference", "evaluate", *plan.overlays]
    provenance = describe_run(plan.bundle, configs, dataset_dir, {})
    content = {"baseline": short_name(baseline), "networks": comparison, "provenance": provenance}
    path = plan.output_dir / "comparison.json"
    path.write_text(json.dumps(content | {"budget": asdict(plan.budget)}, indent=2) + "\n")
    note = explain(trainings, baseline, len(cases))
    costs = cost_table(comparison)
    text = f"{markdown(*costs)}\n{markdown(header, rows)}\n{note}\n\n`{provenance['command']}`\n"
    (plan.output_dir / "comparison.md").write_text(text)
    tables = [Table(*costs), Table(header, rows, note)]
    write_report(_report(plan, trainings, tables, provenance), plan.output_dir / "report.html")
    return header, rows


def describe_network(trainings: Sequence[Training], network: str, baseline: str) -> dict[str, Any]:
    """Describe each metric of a network over cases, and its difference from the baseline's.

    A case's value is the mean over seeds. ``seed_sd`` is the standard deviation of the seeds' means over cases. The
    difference has the 95 % interval of the paired bootstrap over cases and the p-value of Wilcoxon's signed-rank test
    (two-sided), None where every difference is zero or none is defined.
    """
    own = [training for training in trainings if training.network == network]
    metrics = [name for name in own[0].rows[0] if name not in COUNTS]
    result: dict[str, Any] = {
        "network": short_name(network),
        "parameters": own[0].parameters,
        "seeds": len(own),
        "steps": sorted({training.steps for training in own}),
        "seconds": float(np.mean([training.seconds for training in own])),
        "learning_rate": own[0].learning_rate,
        "tried": {k: None if math.isnan(v) else v for k, v in own[0].tried.items()},
        "metrics": {},
    }
    for metric in metrics:
        values = _values(own, metric)
        case_means = _mean(values, 0)
        described = {"n": int(np.sum(~np.isnan(case_means))), "mean": _number(_mean(case_means)), "sd": _sd(case_means)}
        described["seed_sd"] = _sd(_mean(values, 1))
        if network != baseline:
            others = [training for training in trainings if training.network == baseline]
            described |= _difference(case_means, _mean(_values(others, metric), 0))
        result["metrics"][metric] = described
    return result


def _values(trainings: Sequence[Training], metric: str) -> NDArray[np.float64]:
    """Values ``(seeds, cases)``."""
    return np.array([[row[metric] for row in training.rows] for training in trainings], dtype=float)


def _mean(values: NDArray[np.float64], axis: int | None = None) -> NDArray[np.float64]:
    """Mean of what is defined, NaN where nothing is."""
    counts = np.sum(~np.isnan(values), axis)
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis) / np.where(counts, counts, np.nan)


def _sd(values: NDArray[np.float64]) -> float | None:
    values = values[~np.isnan(values)]
    return float(values.std(ddof=1)) if values.size > 1 else None


def _number(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def _difference(values: NDArray[np.float64], others: NDArray[np.float64]) -> dict[str, Any]:
    differences = (values - others)[~np.isnan(values - others)]
    if not differences.size:
        return {"difference": None, "low": None, "high": None, "p": None}
    interval = paired_bootstrap(values, others)
    p = float(stats.wilcoxon(differences).pvalue) if differences.any() else None
    return {"difference": interval.mean, "low": interval.low, "high": interval.high, "p": p}


def comparison_table(comparison: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows, by metric and network: mean ± sd over cases (sd over seeds), difference [95 % interval], p."""
    rows = []
    for metric in comparison[0]["metrics"]:
        for entry in comparison:
            rows.append([title_of(metric), entry["network"], *_cells(entry["metrics"][metric])])
    return ["metric", "network", "mean ± sd (seeds)", "difference [95 %]", "p"], rows


def cost_table(comparison: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: what each network is and what its trainings took."""
    rows = [
        [
            entry["network"],
            f"{entry['parameters']:,}",
            str(entry["seeds"]),
            "/".join(map(str, entry["steps"])),
            f"{entry['seconds']:.0f}",
            "config" if entry["learning_rate"] is None else f"{entry['learning_rate']:g}",
        ]
        for entry in comparison
    ]
    return ["network", "parameters", "seeds", "steps", "seconds of a training", "learning rate"], rows


def _cells(values: dict[str, Any]) -> list[str]:
    mean = f"{_text(values['mean'])} ± {_text(values['sd'])} ({_text(values['seed_sd'])})"
    if "difference" not in values:
        return [mean, "baseline", ""]
    if values["difference"] is None:
        return [mean, "undefined", ""]
    difference = f"{values['difference']:+.3f} [{values['low']:+.3f}, {values['high']:+.3f}]"
    return [mean, difference, "" if values["p"] is None else f"{values['p']:.3g}"]


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def explain(trainings: Sequence[Training], baseline: str, n_cases: int) -> str:
    """Say how to read the table, and what so few cases cannot show."""
    n_seeds = len({training.seed for training in trainings})
    text = (
        f"Mean ± standard deviation over {n_cases} test cases of the mean over {n_seeds} seeds (standard deviation of "
        f"the seeds' means). Difference from {short_name(baseline)}: 95 % interval of the paired bootstrap over cases; "
        "p of Wilcoxon's signed-rank test, two-sided, not corrected for the number of tests. Of each training, the "
        "last checkpoint is evaluated."
    )
    if n_cases < 6:
        text += f" With {n_cases} cases the smallest possible p is {2 / 2**n_cases:.3g}."
    return text


def _write_csv(trainings: Sequence[Training], cases: Sequence[str], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["network", "seed", "case", *trainings[0].rows[0]])
        for training in trainings:
            for case, row in zip(cases, training.rows, strict=True):
                values = ["" if math.isnan(value) else f"{value:.6g}" for value in row.values()]
                writer.writerow([short_name(training.network), training.seed, case, *values])


def _report(plan: Plan, trainings: Sequence[Training], tables: Sequence[Table], provenance: dict[str, Any]) -> Report:
    metrics = [name for name in trainings[0].rows[0] if name not in COUNTS]
    boxes = {
        title_of(metric): {
            short_name(network): _mean(_values([t for t in trainings if t.network == network], metric), 0)
            for network in dict.fromkeys(t.network for t in trainings)
        }
        for metric in metrics
    }
    trained_dir = plan.trained_dir or plan.output_dir
    curves = {training.name: read_curves(trained_dir / training.name / "events") for training in trainings}
    sections = [
        Section("Tables", tables=tables),
        Section("Cases", ["Each point is a case, its mean over seeds."], pictures=[Picture(box_figure(boxes))]),
        Section("Training", pictures=[Picture(training_figure(curves))]),
    ]
    if picture := side_by_side_figure(plan, [t for t in trainings if t.seed == 0]):
        sections.append(Section("One case", ["The first test case, seed 0."], pictures=[Picture(picture)]))
    facts = {"Bundle": f"{provenance['bundle']} {provenance['bundle_version']}", "Command": provenance["command"]}
    return Report(f"Comparison of networks: {provenance['bundle']}", facts | {"Date": provenance["date"]}, sections)

"""What a comparison of networks writes: values, statistics, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..running.comparison_plan import Plan, Training, short_name
from ..running.configuration import Configuration
from ..running.evaluation import CONFIGS
from ..running.records import describe_run, write_json
from ..running.tracking import Curves, read_curves
from .charts import COLORS, chart_panels, to_png
from .comparison_statistics import (
    by_contender,
    contender_of,
    describe_all,
    judging_metrics,
    mean_of_defined,
    metric_values,
    under_first_condition,
)
from .html_report import Picture, Report, Section, write_report
from .metric_texts import decimals_of, mean_text, title_of
from .table import Table
from .training_curves import training_figure
from .written_images import side_by_side_figure


def write_comparison(plan: Plan, trainings: Sequence[Training], baseline: str, dataset_dir: Path) -> Table:
    """Write metrics.csv, comparison.json, comparison.md and report.html; return the table of metrics.

    Args:
        plan: what was compared.
        trainings: of all networks, seeds and conditions.
        baseline: network that the others are tested against, under the first condition.
        dataset_dir: as it was given.
    """
    baseline = contender_of(trainings, baseline)
    comparison = describe_all(trainings, baseline)
    _value_table(plan, trainings).write_csv(plan.output_dir / "metrics.csv")
    provenance = describe_run(plan.bundle, ["train", *CONFIGS, *plan.overlays], dataset_dir, {})
    content = {"baseline": short_name(baseline), "networks": comparison, "provenance": provenance}
    write_json(content | {"budget": asdict(plan.budget)}, plan.output_dir / "comparison.json")
    costs = cost_table(describe_all(under_first_condition(trainings), baseline))
    metrics = comparison_table(comparison, explain(trainings, baseline, len(plan.test_cases)))
    text = f"{costs.markdown()}\n{metrics.markdown()}\n{metrics.caption}\n\n`{provenance['command']}`\n"
    (plan.output_dir / "comparison.md").write_text(text, encoding="utf-8")
    sections = [Section("Tables", tables=[costs, metrics]), *_picture_sections(plan, trainings)]
    facts = {"Bundle": f"{provenance['bundle']} {provenance['bundle_version']}", "Command": provenance["command"]}
    report = Report(f"Comparison of networks: {provenance['bundle']}", facts | {"Date": provenance["date"]}, sections)
    write_report(report, plan.output_dir / "report.html")
    return metrics


def _value_table(plan: Plan, trainings: Sequence[Training]) -> Table:
    """Every value: one row per training and case."""
    rows = [
        [short_name(training.network), *training.condition.values(), training.seed, case, *row.values()]
        for training in trainings
        for case, row in zip(plan.case_names, training.rows, strict=True)
    ]
    return Table(["network", *trainings[0].condition, "seed", "case", *trainings[0].rows[0]], rows)


def comparison_table(comparison: Sequence[dict[str, Any]], caption: str = "") -> Table:
    """Return by metric and network: mean ± sd over cases (sd over seeds), difference [95 % interval], p."""
    rows = [
        [title_of(metric), entry["network"], *_metric_cells(metric, entry["metrics"][metric])]
        for metric in comparison[0]["metrics"]
        for entry in comparison
    ]
    return Table(["metric", "network", "mean ± sd (seeds)", "difference [95 %]", "p"], rows, caption)


def _metric_cells(metric: str, values: dict[str, float]) -> list[str]:
    mean = mean_text(metric, values["mean"], values["sd"], values["seed_sd"])
    if "difference" not in values:
        return [mean, "baseline", ""]
    if math.isnan(values["difference"]):
        return [mean, "undefined", ""]
    difference, low, high = (f"{values[name]:+.{decimals_of(metric)}f}" for name in ("difference", "low", "high"))
    return [mean, f"{difference} [{low}, {high}]", "" if math.isnan(values["p"]) else f"{values['p']:.3g}"]


def cost_table(comparison: Sequence[dict[str, Any]]) -> Table:
    """Return what each network is and what its trainings took."""
    rows = [
        [
            entry["network"],
            f"{entry['parameters']:,}",
            entry["seeds"],
            "/".join(map(str, entry["steps"])),
            f"{entry['seconds']:.0f}",
            "config" if entry["learning_rate"] is None else entry["learning_rate"],
        ]
        for entry in comparison
    ]
    return Table(["network", "parameters", "seeds", "steps", "seconds of a training", "learning rate"], rows)


def explain(trainings: Sequence[Training], baseline: str, n_cases: int) -> str:
    """Say how to read the table, and what so few cases cannot show."""
    n_seeds = len({training.seed for training in trainings})
    return (
        f"Mean ± standard deviation over {n_cases} test cases of the mean over {n_seeds} seeds (standard deviation of "
        f"the seeds' means). {explain_tests(baseline, n_cases, 'cases')}"
    )


def explain_tests(baseline: str, n: int, units: str) -> str:
    """Say what differences and p are, over ``n`` pairs of ``units``."""
    text = (
        f"Difference from {short_name(baseline)}: 95 % interval of the paired bootstrap over {units}; "
        "p of Wilcoxon's signed-rank test, two-sided, not corrected for the number of tests. Of each training, the "
        "last checkpoint is evaluated."
    )
    return text + (f" With {n} {units} the smallest possible p is {2 / 2**n:.3g}." if n < 6 else "")


def _picture_sections(plan: Plan, trainings: Sequence[Training]) -> list[Section]:
    figures = [Picture(box_figure(values_in_boxes(trainings)))]
    sections = [
        Section("Cases", ["Each point is a case, its mean over seeds."], pictures=figures),
        Section("Training", pictures=[Picture(curves_figure([(plan, trainings)]))]),
    ]
    if figure := first_case_figure(plan, trainings):
        sections.append(Section("One case", ["The first test case, seed 0."], pictures=[Picture(figure)]))
    return sections


def values_in_boxes(trainings: Sequence[Training]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return what :func:`box_figure` shows: of each metric and network the cases' means over seeds."""
    networks = by_contender(trainings)
    return {
        title_of(metric): {name: mean_of_defined(metric_values(own, metric), 0) for name, own in networks.items()}
        for metric in judging_metrics(trainings)
    }


def curves_figure(compared: Sequence[tuple[Plan, Sequence[Training]]]) -> bytes:
    """Show the curves of all trainings of each network, of one comparison or several."""
    curves: dict[str, list[Curves]] = {}
    for plan, trainings in compared:
        events = plan.trained_dir or plan.output_dir
        for training in under_first_condition(trainings):
            found = read_curves(events / training.name / "events")
            curves.setdefault(short_name(training.network), []).append(found)
    return training_figure(curves)


def first_case_figure(plan: Plan, trainings: Sequence[Training]) -> bytes | None:
    """Show what every network made of the first test case with the first seed, None where they wrote no images."""
    pictures = Configuration(plan.bundle, [*CONFIGS, *plan.overlays], plan.inference).pictures
    networks = by_contender(trainings)
    written = {name: own[0].first_case_files(plan.output_dir) for name, own in networks.items()}
    return side_by_side_figure(plan.test_cases[0], written, pictures)


def box_figure(values: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> bytes:
    """Show a panel for each metric, in it a box and the cases of each network."""
    figure, panels = chart_panels(len(values), 4.2, 4)
    for panel, (metric, networks) in zip(panels, values.items(), strict=True):
        defined = [cases[~np.isnan(cases)] for cases in networks.values()]
        panel.boxplot(defined, tick_labels=list(networks), showfliers=False, medianprops={"color": "#1b2330"})
        for place, cases in enumerate(defined):
            spread = np.linspace(-0.12, 0.12, len(cases)) if len(cases) > 1 else np.zeros(len(cases))
            panel.scatter(place + 1 + spread, cases, s=22, color=COLORS[place % len(COLORS)], zorder=3)
        panel.set_title(metric)
        panel.tick_params(axis="x", rotation=40)
    return to_png(figure)

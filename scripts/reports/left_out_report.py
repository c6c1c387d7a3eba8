"""What leaving out one patient in turn writes: values, statistics over patients, tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...datasets import Case
from ..running.comparison_plan import Plan, Training, short_name
from ..running.evaluation import CONFIGS
from ..running.records import describe_run, write_json
from .comparison_report import (
    box_figure,
    comparison_table,
    cost_table,
    curves_figure,
    explain_tests,
    first_case_figure,
    values_in_boxes,
    write_comparison,
)
from .comparison_statistics import by_contender, contender_of, describe_all, under_first_condition
from .html_report import Picture, Report, Section, write_report
from .left_out_statistics import describe_left_out, over_patients, patient_table
from .metric_texts import decimals_of, number_text, title_of
from .table import Table

PICTURE = "first_case.png"


def write_left_out(
    plan: Plan, folds: Mapping[str, Plan], trainings: Mapping[str, Sequence[Training]], network: str, dataset_dir: Path
) -> Table:
    """Write a comparison of each patient, and of all metrics.csv, comparison.json, comparison.md and report.html.

    Args:
        plan: whose ``output_dir`` holds the folders of the patients.
        folds: by patient, what was compared.
        trainings: by patient, all networks, seeds and conditions.
        network: which the others are tested against, under the first condition.
        dataset_dir: as it was given.

    Returns:
        the table of metrics over patients.
    """
    for patient, fold in folds.items():
        write_comparison(fold, trainings[patient], network, dataset_dir)
    pooled = over_patients(trainings)
    baseline = contender_of(pooled, network)
    described = describe_left_out(pooled, list(folds), baseline)
    value_table(folds, trainings).write_csv(plan.output_dir / "metrics.csv")
    provenance = describe_run(plan.bundle, ["train", *CONFIGS, *plan.overlays], dataset_dir, {})
    content = {"left_out": list(folds), "baseline": short_name(baseline), "networks": described}
    budget = {"budget": asdict(plan.budget), "provenance": provenance}
    write_json(content | budget, plan.output_dir / "comparison.json")
    costs = cost_table(describe_all(under_first_condition(pooled), baseline))
    metrics = comparison_table(described, explain_left_out(pooled, baseline))
    each = [patient_table(entry, short_name(baseline), pooled) for entry in described]
    _write_text([costs, metrics, *each], provenance, plan.output_dir / "comparison.md")
    sections = [
        Section("Tables", tables=[costs, metrics]),
        Section("Patients", [EACH_PATIENT], each, links=_links(plan, folds)),
        *_picture_sections(folds, trainings, pooled),
    ]
    facts = {"Bundle": f"{provenance['bundle']} {provenance['bundle_version']}", "Command": provenance["command"]}
    title = f"Patients left out in turn: {provenance['bundle']}"
    write_report(Report(title, facts | {"Date": provenance["date"]}, sections), plan.output_dir / "report.html")
    return metrics


EACH_PATIENT = (
    "Of each network, what it reached on each patient after a training on the others: the mean over the patient's "
    "visits and over seeds. Below, the mean over patients, each of whom counts once, and spreads."
)


def explain_left_out(pooled: Sequence[Training], baseline: str) -> str:
    """Say how to read the table over patients."""
    n_seeds, n = len({training.seed for training in pooled}), len(pooled[0].rows)
    return (
        f"Mean ± standard deviation over {n} patients, each left out of the training that it tests, of the mean over "
        f"its visits and {n_seeds} seeds (standard deviation of the seeds' means). "
        f"{explain_tests(baseline, n, 'patients')}"
    )


def value_table(folds: Mapping[str, Plan], trainings: Mapping[str, Sequence[Training]]) -> Table:
    """Return every value: one row per patient, training and visit."""
    rows = [
        [patient, case.get("session", ""), short_name(t.network), *t.condition.values(), t.seed, *row.values()]
        for patient, fold in folds.items()
        for t in trainings[patient]
        for case, row in zip(fold.test_cases, t.rows, strict=True)
    ]
    first = next(iter(trainings.values()))[0]
    return Table(["left_out", "visit", "network", *first.condition, "seed", *first.rows[0]], rows)


def _write_text(tables: Sequence[Table], provenance: Mapping[str, Any], path: Path) -> None:
    costs, metrics, *each = tables
    parts = [costs.markdown(), metrics.markdown(), f"{metrics.caption}\n", f"{EACH_PATIENT}\n"]
    parts += [f"**{table.caption}**\n\n{table.markdown()}" for table in each]
    path.write_text("\n".join([*parts, f"`{provenance['command']}`\n"]), encoding="utf-8")


def _links(plan: Plan, folds: Mapping[str, Plan]) -> dict[str, str]:
    pages = {patient: fold.output_dir.relative_to(plan.output_dir) / "report.html" for patient, fold in folds.items()}
    return {f"{patient}: its own report": quote(page.as_posix()) for patient, page in pages.items()}


def _picture_sections(
    folds: Mapping[str, Plan], trainings: Mapping[str, Sequence[Training]], pooled: Sequence[Training]
) -> list[Section]:
    """Show boxes, curves, and what the networks made of the first visit of every patient; write these pictures too."""
    compared = [(fold, trainings[patient]) for patient, fold in folds.items()]
    boxes, curves = Picture(box_figure(values_in_boxes(pooled))), Picture(curves_figure(compared))
    sections = [
        Section("All patients", ["Each point is a patient, its mean over visits and seeds."], pictures=[boxes]),
        Section("Training", pictures=[curves]),
    ]
    pictures = []
    for patient, fold in folds.items():
        if figure := first_case_figure(fold, trainings[patient]):
            (fold.output_dir / PICTURE).write_bytes(figure)
            pictures.append(Picture(figure, _caption(fold, trainings[patient]), f"Results of {patient}"))
    if pictures:
        text = "The first visit of each patient, seed 0."
        sections.append(Section("Pictures", [text], pictures=pictures))
    return sections


def _caption(fold: Plan, trainings: Sequence[Training]) -> str:
    metric = next(iter(trainings[0].rows[0]))
    values = (
        f"{name} {number_text(own[0].rows[0][metric], decimals_of(metric))}"
        for name, own in by_contender(trainings).items()
    )
    return f"{Case.of(fold.test_cases[0]).name}. {title_of(metric)}: {', '.join(values)}."

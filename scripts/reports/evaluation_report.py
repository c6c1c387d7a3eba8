"""What an evaluation writes: values, statistics, report and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..running.evaluation import Evaluation
from ..running.records import write_json
from ..running.tracking import read_curves
from .angle_section import angle_curves, angle_section, write_angle_curves
from .attention_section import attention_section
from .evaluation_tables import by_condition, case_table, comparison_table, condition_tables, statistics_of, value_table
from .guide_effect import guide_effect_sections, write_guide_effects
from .html_report import Picture, Report, Section, write_report
from .lesion_sections import lesion_sections
from .table import Table
from .training_curves import training_figure
from .written_images import case_picture, image_sections


def write_evaluation(
    evaluations: Sequence[Evaluation], provenance: dict[str, Any], folder: Path, training_dir: Path | None = None
) -> None:
    """Write metrics.csv, summary.json, report.html, and what else can be drawn, of evaluations of the same cases.

    Args:
        evaluations: the bundle's network first; where something varied, of each condition in turn.
        provenance: as from :func:`~mri_attention.scripts.running.records.describe_run`.
        folder: where the files go.
        training_dir: output folder of the training, for its curves.
    """
    value_table(evaluations).write_csv(folder / "metrics.csv")
    write_json(statistics_of(evaluations) | {"provenance": provenance}, folder / "summary.json")
    write_sections = _write_conditions if evaluations[0].condition else _write_details
    sections = [Section("Metrics", [explain_tables(evaluations)], summary_tables(evaluations))]
    sections += write_sections(evaluations, folder)
    if training_dir is not None and (curves := read_curves(training_dir)):
        figure = Picture(training_figure({"": [curves]}), alternative="Curves of the training")
        sections.append(Section("Training", pictures=[figure]))
    n_cases = len(evaluations[0].cases)
    title = f"{evaluations[0].network} on {n_cases} case{'s'[: n_cases != 1]}: {provenance['bundle']}"
    write_report(Report(title, _facts(provenance), sections), folder / "report.html")


def summary_tables(evaluations: Sequence[Evaluation]) -> list[Table]:
    """Return a table of all metrics, or where something varied one table per metric."""
    return condition_tables(evaluations) if evaluations[0].condition else [comparison_table(evaluations)]


def explain_tables(evaluations: Sequence[Evaluation]) -> str:
    """Say what the cells of :func:`summary_tables` are."""
    median = "" if evaluations[0].condition else " (median)"
    return f"Mean ± standard deviation{median} over {len(evaluations[0].cases)} cases, where defined"


def _write_details(evaluations: Sequence[Evaluation], folder: Path) -> list[Section]:
    """Write what can be told of networks under one condition; return the report's sections on it."""
    write_guide_effects(evaluations, folder / "guidance")
    angles = angle_curves(evaluations)
    write_angle_curves(angles, folder / "errors_by_angle.csv")
    sections = []
    if "lesion_f1" in evaluations[0].rows[0]:
        sections += lesion_sections(evaluations)
    sections += image_sections(evaluations) + guide_effect_sections(evaluations) + angle_section(angles)
    if (maps := evaluations[0].attention) is not None:
        sections.append(attention_section(maps, evaluations[0].case_names[0]))
    return [*sections, Section("Each case", tables=[case_table(evaluation) for evaluation in evaluations])]


def _write_conditions(evaluations: Sequence[Evaluation], folder: Path) -> list[Section]:
    """Write a picture of the first case under each condition; return the report's section of them."""
    pictures = []
    for group in by_condition(evaluations):
        if (picture := case_picture(group, 0)) is not None:
            (folder / f"{group[0].condition_name}.png").write_bytes(picture.png)
            title = ", ".join(f"{name} {value}" for name, value in group[0].condition.items())
            pictures.append(Picture(picture.png, f"{title}: {picture.caption}", picture.alternative))
    return [Section("The first case under each condition", pictures=pictures)] if pictures else []


def _facts(provenance: dict[str, Any]) -> dict[str, str]:
    configs = ", ".join(provenance["configs"])
    weights = (
        f"{name}: {model['file']} (SHA-256 {model['sha256'][:16]}...)"
        for name, model in provenance["models"].items()
        if model
    )
    return {
        "Bundle": f"{provenance['bundle']} {provenance['bundle_version']} ({configs})",
        "Weights": "; ".join(weights) or "none",
        "Dataset": provenance["dataset"],
        "Command": provenance["command"],
        "Software": ", ".join(f"{name} {number}" for name, number in provenance["packages"].items()),
        "Date": provenance["date"],
    }

"""What an evaluation writes: values, statistics, tables that show networks side by side, report and pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..running.evaluation import SUMMARY, Evaluation
from ..running.records import write_json
from ..running.tracking import read_curves
from .angle_section import angle_curves, angle_section, write_angle_curves
from .attention_section import attention_section
from .detail_section import detail_sections
from .guide_effect import guide_effect_sections, write_guide_effects
from .html_report import Picture, Report, Section, write_report
from .lesion_sections import lesion_sections
from .metric_texts import COUNTS, decimals_of, mean_text, number_text, title_of
from .table import Table
from .training_curves import training_figure
from .viewer import write_viewers
from .written_images import case_picture, image_sections


def write_evaluation(
    evaluations: Sequence[Evaluation],
    provenance: dict[str, Any],
    folder: Path,
    training_dir: Path | None = None,
    *,
    with_viewers: bool = True,
) -> None:
    """Write metrics.csv, summary.json, report.html, and what else can be drawn, of evaluations of the same cases.

    Args:
        evaluations: the bundle's network first; where something varied, of each condition in turn.
        provenance: as from :func:`~mri_attention.scripts.running.records.describe_run`.
        folder: where the files go.
        training_dir: output folder of the training, for its curves.
        with_viewers: also write a page of each case to scroll through, into ``viewers``, unless something varied.
    """
    value_table(evaluations).write_csv(folder / "metrics.csv")
    write_json(statistics_of(evaluations) | {"provenance": provenance}, folder / SUMMARY)
    write_sections = _write_conditions if evaluations[0].condition else _write_details
    sections = [Section("Metrics", [explain_tables(evaluations)], summary_tables(evaluations))]
    sections += write_sections(evaluations, folder)
    if with_viewers and not evaluations[0].condition:
        sections += _viewer_sections(evaluations, folder)
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
    sections += image_sections(evaluations) + detail_sections(evaluations)
    sections += guide_effect_sections(evaluations) + angle_section(angles)
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


def _viewer_sections(evaluations: Sequence[Evaluation], folder: Path) -> list[Section]:
    """Write a page of each case; return the report's section with links to them."""
    pages = write_viewers(evaluations, folder / "viewers")
    text = "A page of each case to scroll through, with all that was written for it. Each is one file."
    links = {case: quote(str(page.relative_to(folder))) for case, page in pages.items()}
    return [Section("Look at the cases", [text], links=links)] if pages else []


def _facts(provenance: dict[str, Any]) -> dict[str, str]:
    models = [(name, model) for name, model in provenance["models"].items() if model]
    weights = "; ".join(f"{name}: {model['file']} (SHA-256 {model['sha256'][:16]}...)" for name, model in models)
    return {
        "Bundle": f"{provenance['bundle']} {provenance['bundle_version']} ({', '.join(provenance['configs'])})",
        "Weights": weights or "none",
        "Dataset": provenance["dataset"],
        "Command": provenance["command"],
        "Software": ", ".join(f"{name} {number}" for name, number in provenance["packages"].items()),
        "Date": provenance["date"],
    }


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

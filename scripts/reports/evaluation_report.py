"""The report on an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..running.tracking import read_curves
from .angle_section import Curves, angle_section
from .attention_section import attention_section
from .guidance_section import guidance_section
from .html_report import Picture, Report, Section, Table
from .image_sections import image_sections
from .lesion_figures import curve_figure
from .lesion_sections import lesion_sections
from .tables import Evaluation, case_table, comparison_table


def evaluation_report(
    evaluations: Sequence[Evaluation],
    provenance: dict[str, Any],
    training_dir: Path | None = None,
    angles: Curves | None = None,
) -> Report:
    """Put together what is known of ``evaluations``, the bundle's network first.

    Args:
        evaluations: of the same cases.
        provenance: as from :func:`~mri_attention.scripts.running.provenance.describe_run`.
        training_dir: output folder of the training, for its curves.
        angles: as from :func:`~mri_attention.scripts.reports.angle_section.angle_curves`.
    """
    sections = [_summary_section(evaluations)]
    if "lesion_f1" in evaluations[0].rows[0]:
        sections += lesion_sections(evaluations)
    sections += image_sections(evaluations) + guidance_section(evaluations) + angle_section(angles or {})
    if (maps := evaluations[0].attention) is not None:
        sections.append(attention_section(maps, evaluations[0].case_names[0]))
    sections.append(_cases_section(evaluations))
    if training_dir is not None and (curves := read_curves(training_dir)):
        figure = Picture(curve_figure(curves), alternative="Curves of the training")
        sections.append(Section("Training", pictures=[figure]))
    n_cases = len(evaluations[0].cases)
    title = f"{evaluations[0].network} on {n_cases} case{'s'[: n_cases != 1]}: {provenance['bundle']}"
    return Report(title, _facts(provenance), sections)


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


def _summary_section(evaluations: Sequence[Evaluation]) -> Section:
    text = "Mean ± standard deviation (median) over the n cases for which the metric is defined."
    return Section("Metrics", [text], [Table(*comparison_table(evaluations))])


def _cases_section(evaluations: Sequence[Evaluation]) -> Section:
    return Section("Each case", tables=[Table(*case_table(e), caption=e.network) for e in evaluations])

"""Section of a report on networks that make images: what went in, what came out, the truth, and the errors."""

from __future__ import annotations

from collections.abc import Sequence

from ..running.evaluation import Evaluation
from .html_report import MAX_PICTURES, Picture, Section
from .metric_texts import decimals_of, number_text, title_of
from .slice_panels import CONVENTION
from .written_images import side_by_side_figure


def image_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return pictures of the first cases: every network's image beside the truth, errors below."""
    if evaluations[0].pictures is None:
        return []
    n_cases = len(evaluations[0].cases)
    shown = range(min(n_cases, MAX_PICTURES))
    pictures = [picture for number in shown if (picture := case_picture(evaluations, number))]
    text = f"Axial slices, below each image its difference from the reference. {CONVENTION}"
    if n_cases > MAX_PICTURES:
        text += f" The first {MAX_PICTURES} of {n_cases} cases are shown."
    return [Section("Pictures", [text], pictures=pictures)] if pictures else []


def case_picture(evaluations: Sequence[Evaluation], number: int) -> Picture | None:
    """Show what every network made of a case, with its first metric; None where they wrote nothing to show."""
    first = evaluations[0]
    written = {evaluation.network: evaluation.files[number] for evaluation in evaluations}
    sampled = first.sampled if number == 0 else None
    png = side_by_side_figure(first.cases[number], written, first.pictures, sampled)
    if png is None:
        return None
    name, metric = first.case_names[number], next(iter(first.rows[number]))
    values = (f"{e.network} {number_text(e.rows[number][metric], decimals_of(metric))}" for e in evaluations)
    return Picture(png, f"{name}. {title_of(metric)}: {', '.join(values)}.", f"Results of {name} and their errors")

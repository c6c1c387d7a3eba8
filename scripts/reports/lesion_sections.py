"""Sections of a report on lesion segmentation: sizes, pictures with errors, volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...metrics import LesionMatch, match_lesions, size_table
from ..running.evaluation import Evaluation
from ..running.written_files import LESION_MASK
from .axial_slices import Aligned, load_aligned
from .html_report import MAX_PICTURES, Picture, Section, shown_cases
from .lesion_figures import segmentation_figure, volume_figure
from .metric_texts import number_text
from .slice_panels import CONVENTION
from .table import Table


def lesion_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return tables by lesion size, pictures of the first network's cases, and agreement of volumes."""
    matches = {e.network: [_match(e, number) for number in range(len(e.cases))] for e in evaluations}
    return [
        _sizes_section(matches),
        _pictures_section(evaluations[0], matches[evaluations[0].network]),
        _volumes_section(matches),
    ]


def _match(evaluation: Evaluation, number: int) -> LesionMatch:
    masks, voxel_size = _masks(evaluation, number)
    return match_lesions(*(mask > 0 for mask in masks), float(np.prod(voxel_size)))


def _masks(evaluation: Evaluation, number: int) -> Aligned:
    """Read what was predicted for a case, and the truth on its grid."""
    predicted = evaluation.file(number, LESION_MASK)
    return load_aligned([predicted, Path(evaluation.cases[number]["label"])], predicted, is_label=True)


def _sizes_section(matches: dict[str, list[LesionMatch]]) -> Section:
    header = ["lesion size", "true", "found", "LTPR", "predicted", "correct", "LPPV", "L-F1"]
    counts = ("n_true", "n_found", "LTPR", "n_predicted", "n_correct", "LPPV", "L-F1")
    tables = []
    for network, found in matches.items():
        rows = [[_size_range(row), *(_number(name, row[name]) for name in counts)] for row in size_table(found)]
        tables.append(Table(header, rows, network))
    text = (
        "All cases together. A true lesion is found if the prediction overlaps it, a predicted lesion is "
        "correct if it overlaps a true one (26-connected components, each judged by its own size)."
    )
    return Section("By lesion size", [text], tables)


def _size_range(row: dict[str, float]) -> str:
    low, high = row["low_mm3"], row["high_mm3"]
    return f"from {low:g} mm³" if math.isinf(high) else f"{low:g} to {high:g} mm³"


def _number(name: str, value: float) -> str:
    return number_text(value, 0 if name.startswith("n_") else 3)


def _pictures_section(evaluation: Evaluation, matches: Sequence[LesionMatch]) -> Section:
    text = (
        f"Axial slices with the largest lesion area. {CONVENTION} Errors: green found, blue missed, red wrongly marked."
        f"{shown_cases(len(evaluation.cases))}"
    )
    shown = list(zip(evaluation.case_names, matches, strict=True))[:MAX_PICTURES]
    pictures = [
        Picture(_case_figure(evaluation, number), _case_caption(name, match), f"Segmentation of {name}")
        for number, (name, match) in enumerate(shown)
    ]
    return Section("Pictures", [text], pictures=pictures)


def _case_figure(evaluation: Evaluation, number: int) -> bytes:
    (predicted, truth), voxel_size = _masks(evaluation, number)
    paths = evaluation.images(number)
    images, _ = load_aligned([*paths.values()], evaluation.file(number, LESION_MASK))
    return segmentation_figure(dict(zip(paths, images, strict=True)), truth, predicted, voxel_size)


def _case_caption(name: str, match: LesionMatch) -> str:
    row = match.as_row()
    wrong = row["n_predicted"] - row["n_correct"]
    return (
        f"{name}: {row['n_found']:.0f} of {row['n_true']:.0f} lesions found, "
        f"{wrong:.0f} of {row['n_predicted']:.0f} predicted lesions are wrong; "
        f"DSC {_number('DSC', row['DSC'])}; true volume {row['true_volume_ml']:.2f} ml, "
        f"predicted {row['predicted_volume_ml']:.2f} ml."
    )


def _volumes_section(matches: dict[str, list[LesionMatch]]) -> Section:
    rows = {network: [match.as_row() for match in found] for network, found in matches.items()}
    volumes = {
        network: ([row["true_volume_ml"] for row in found], [row["predicted_volume_ml"] for row in found])
        for network, found in rows.items()
    }
    text = (
        "Left: each case, and the line of equality. Right: difference against mean (Bland and Altman), with "
        "the mean difference (solid) and 1.96 standard deviations around it (dotted)."
    )
    figure = Picture(volume_figure(volumes), alternative="Predicted against true lesion volumes")
    return Section("Lesion volumes", [text], pictures=[figure])

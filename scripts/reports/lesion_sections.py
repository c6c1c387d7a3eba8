"""Sections of a report on lesion segmentation: sizes, pictures with errors, volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ...metrics import LesionMatch, match_lesions, size_table
from ...transforms.save_derivative import derivative_path
from .axial_slices import load_aligned
from .html_report import Picture, Section, Table
from .lesion_figures import CONVENTION, segmentation_figure, volume_figure
from .tables import Evaluation

MAX_PICTURES = 6


def prediction_file(evaluation: Evaluation, case: dict[str, Any]) -> Path:
    """Return the lesion mask that was written for ``case``, on the grid of its last image."""
    return derivative_path(evaluation.output_dir, case["image"][-1], "label-lesion_mask")


def lesion_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return tables by lesion size, pictures of the first network's cases, and agreement of volumes."""
    matches = {e.network: [_match(e, case) for case in e.cases] for e in evaluations}
    return [
        _sizes_section(matches),
        _pictures_section(evaluations[0], matches[evaluations[0].network]),
        _volumes_section(matches),
    ]


def _match(evaluation: Evaluation, case: dict[str, Any]) -> LesionMatch:
    prediction = prediction_file(evaluation, case)
    masks = load_aligned([prediction, Path(case["label"])], prediction, is_label=True)
    voxel_volume = float(np.prod(masks[0].header.get_zooms()[:3]))
    return match_lesions(*(np.asarray(mask.dataobj) > 0 for mask in masks), voxel_volume)


def _sizes_section(matches: dict[str, list[LesionMatch]]) -> Section:
    header = ["lesion size", "true", "found", "LTPR", "predicted", "correct", "LPPV", "L-F1"]
    counts = ("n_true", "n_found", "LTPR", "n_predicted", "n_correct", "LPPV", "L-F1")
    tables = []
    for network, found in matches.items():
        rows = [[_size_range(row), *(_number(name, row[name]) for name in counts)] for row in size_table(found)]
        tables.append(Table(header, rows, caption=network))
    text = (
        "All cases together. A true lesion is found if the prediction overlaps it, a predicted lesion is "
        "correct if it overlaps a true one (26-connected components, each judged by its own size)."
    )
    return Section("By lesion size", [text], tables)


def _size_range(row: dict[str, float]) -> str:
    low, high = row["low_mm3"], row["high_mm3"]
    return f"from {low:g} mm³" if math.isinf(high) else f"{low:g} to {high:g} mm³"


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return f"{value:.0f}" if name.startswith("n_") else f"{value:.3f}"


def _pictures_section(evaluation: Evaluation, matches: Sequence[LesionMatch]) -> Section:
    shown = list(zip(evaluation.case_names, evaluation.cases, matches, strict=True))[:MAX_PICTURES]
    text = (
        f"Axial slices with the largest lesion area. {CONVENTION} Errors: green found, blue missed, red wrongly marked."
    )
    if len(evaluation.cases) > MAX_PICTURES:
        text += f" The first {MAX_PICTURES} of {len(evaluation.cases)} cases are shown."
    pictures = [
        Picture(_case_picture(evaluation, case), _case_caption(name, match), f"Segmentation of {name}")
        for name, case, match in shown
    ]
    return Section("Pictures", [text], pictures=pictures)


def _case_picture(evaluation: Evaluation, case: dict[str, Any]) -> bytes:
    prediction = prediction_file(evaluation, case)
    images = load_aligned(case["image"], prediction)
    masks = load_aligned([Path(case["label"]), prediction], prediction, is_label=True)
    volumes = dict(zip(evaluation.contrasts, map(_array, images), strict=True))
    truth, predicted = map(_array, masks)
    return segmentation_figure(volumes, truth, predicted, masks[0].header.get_zooms()[:3])


def _array(image: nib.Nifti1Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.dataobj)


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

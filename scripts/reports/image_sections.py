"""Sections of a report on networks that make images: what went in, what came out, the truth, and the errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..running.written_files import file_of
from .axial_slices import load_aligned
from .html_report import Picture, Section
from .image_figures import error_figure
from .lesion_figures import CONVENTION
from .tables import Evaluation, decimals_of, title_of

MAX_PICTURES = 4


def image_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return pictures of the first cases: every network's image beside the truth, errors below."""
    shown = range(min(len(evaluations[0].cases), MAX_PICTURES))
    pictures = [picture for number in shown if (picture := _case_picture(evaluations, number))]
    text = f"Axial slices, below each image its difference from the reference. {CONVENTION}"
    if len(evaluations[0].cases) > MAX_PICTURES:
        text += f" The first {MAX_PICTURES} of {len(evaluations[0].cases)} cases are shown."
    return [Section("Pictures", [text], pictures=pictures)] if pictures else []


def _case_picture(evaluations: Sequence[Evaluation], number: int) -> Picture | None:
    first = evaluations[0]
    spec = first.pictures
    images = written_images(first, number)
    if spec is None or images is None:
        return None
    columns, reference, voxel_size = images
    for other in evaluations[1:]:
        if (found := written_images(other, number)) is not None:
            columns[other.network] = found[0][other.network]
    png = error_figure(
        columns, reference, voxel_size, window=spec.window, error_window=spec.error_window, unit=spec.unit
    )
    name = first.case_names[number]
    return Picture(png, f"{name}. {_caption(evaluations, number)}", f"Images of {name} and their errors")


def written_images(
    evaluation: Evaluation, number: int
) -> tuple[dict[str, NDArray[Any]], NDArray[Any], Sequence[float]] | None:
    """Read input and result of a case by title, its reference, all on the reference's grid, and its voxel size (mm).

    None where the workflow wrote no such images.
    """
    spec = evaluation.pictures
    if spec is None:
        return None
    names = {"input": spec.input, evaluation.network: spec.result, "reference": spec.reference}
    paths = {title: file_of(evaluation.files[number], suffix) for title, suffix in names.items()}
    present: dict[str, Path] = {title: path for title, path in paths.items() if path is not None}
    if not {evaluation.network, "reference"} <= set(present):
        return None
    loaded = load_aligned(list(present.values()), present["reference"])
    arrays = {title: np.asarray(image.dataobj) for title, image in zip(present, loaded, strict=True)}
    reference = arrays.pop("reference")
    return arrays, reference, loaded[0].header.get_zooms()[:3]


def _caption(evaluations: Sequence[Evaluation], number: int) -> str:
    metric = next(iter(evaluations[0].rows[number]))
    values = (f"{e.network} {e.rows[number][metric]:.{decimals_of(metric)}f}" for e in evaluations)
    return f"{title_of(metric)}: {', '.join(values)}."

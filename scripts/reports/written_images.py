"""What networks wrote for one case, in one picture: images and their errors, or lesion masks; the section of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..running.evaluation import Evaluation
from ..running.written_files import LESION_MASK, Pictures, file_of
from .axial_slices import load_aligned
from .html_report import MAX_PICTURES, Picture, Section, shown_cases
from .image_figures import error_figure
from .lesion_figures import PREDICTION, TRUTH, contour_figure
from .metric_texts import decimals_of, number_text, title_of
from .slice_panels import CONVENTION

Written = Mapping[str, Sequence[Path]]
"""What each network wrote for a case, by its name."""


@dataclass(frozen=True)
class WrittenImages:
    """Images of a case, all RAS volumes ``(x, y, z)`` on the reference's grid.

    Attributes:
        images: the input, and the result of each network by its name.
        reference: the truth.
        voxel_size: in mm.
    """

    images: dict[str, NDArray[Any]]
    reference: NDArray[Any]
    voxel_size: Sequence[float]


def read_written_images(written: Written, pictures: Pictures | None) -> WrittenImages | None:
    """Read what ``pictures`` names of the files of a case; None without the first network's result and reference."""
    first = next(iter(written))
    if pictures is None or (reference := file_of(written[first], pictures.reference)) is None:
        return None
    found = {"input": file_of(written[first], pictures.input)}
    found |= {network: file_of(files, pictures.result) for network, files in written.items()}
    present = {title: path for title, path in found.items() if path is not None}
    if first not in present:
        return None
    (truth, *loaded), voxel_size = load_aligned([reference, *present.values()], reference)
    return WrittenImages(dict(zip(present, loaded, strict=True)), truth, voxel_size)


def side_by_side_figure(
    case: Mapping[str, Any], written: Written, pictures: Pictures | None, sampled: NDArray[Any] | None = None
) -> bytes | None:
    """Show what every network made of a case beside the truth; None where they wrote neither images nor masks.

    Args:
        case: entry of the datalist, with ``image`` and ``label`` for lesion masks.
        written: files of the case.
        pictures: which of them belong together.
        sampled: mask of k-space ``(y, x)``, shown too.
    """
    if found := read_written_images(written, pictures):
        style = {name: getattr(pictures, name) for name in ("window", "error_window", "unit")}
        return error_figure(found.images, found.reference, found.voxel_size, sampled=sampled, **style)
    masks = {name: mask for name, files in written.items() if (mask := file_of(files, LESION_MASK))}
    return _masks_figure(case, masks) if masks else None


def _masks_figure(case: Mapping[str, Any], masks: Mapping[str, Path]) -> bytes:
    reference = Path(list(case["image"].values() if isinstance(case["image"], dict) else case["image"])[-1])
    (image,), voxel_size = load_aligned([reference], reference)
    labels, _ = load_aligned([Path(case["label"]), *masks.values()], reference, is_label=True)
    truth, *found = (label > 0 for label in labels)
    panels = {"truth": (truth, TRUTH)} | {n: (mask, PREDICTION) for n, mask in zip(masks, found, strict=True)}
    return contour_figure(image, truth, panels, voxel_size)


def image_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return pictures of the first cases: every network's image beside the truth, errors below."""
    if evaluations[0].pictures is None:
        return []
    n_cases = len(evaluations[0].cases)
    shown = range(min(n_cases, MAX_PICTURES))
    pictures = [picture for number in shown if (picture := case_picture(evaluations, number))]
    text = f"Axial slices, below each image its difference from the reference. {CONVENTION}{shown_cases(n_cases)}"
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

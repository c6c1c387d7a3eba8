"""The page with which a person looks at what a network made of one case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...running.prediction import Prediction
from ...running.written_files import BRAIN_MASK, LESION_MASK, PROBABILITY, file_of
from ..found_lesions import lesions_of
from ..shown_results import beside, shown_result, written_images
from .shown_volumes import Shown, ShownGrid, probability_of, window_of
from .viewer_page import ViewerPage, write_page


def write_viewer(prediction: Prediction, finding: str = "") -> Path:
    """Write the page beside the results.

    Args:
        prediction: with an image or a mask of lesions among its files.
        finding: line on what was found.

    Raises:
        ValueError: if there is neither.
    """
    result = shown_result(prediction.files)
    if result is None:
        raise ValueError(f"no image among {prediction.files=}")
    mask, grid = file_of(prediction.files, LESION_MASK), ShownGrid(result)
    page = image_page(prediction, grid) if mask is None else lesion_page(prediction, grid, mask)
    return write_page(replace(page, finding=finding), beside(result, "viewer.html"))


def lesion_page(prediction: Prediction, grid: ShownGrid, result: Path) -> ViewerPage:
    """Show the contrasts, over them the lesions of ``result`` and their probability, and list the lesions."""
    images = _given_images(prediction, grid)
    mask = grid.mask(result, "lesions", "lesions")
    path = file_of(prediction.files, PROBABILITY)
    probability = None if path is None else probability_of(grid.load(path))
    page = _page(prediction, grid, images)
    overlays = [mask, *([probability] if probability else []), *page.overlays]
    return replace(page, overlays=overlays, lesions=lesions_of(prediction), first=len(images) - 1)


def image_page(prediction: Prediction, grid: ShownGrid) -> ViewerPage:
    """Show the results, what else was written, the difference from the input, and the given images."""
    results = [_written(path, grid) for path in written_images(prediction.files)]
    given = _given_images(prediction, grid, {image.name.partition(" ")[0]: image for image in results})
    images = [*results, *given]
    contrast = results[0].name.partition(" ")[0]
    if same := [image for image in images[1:] if image.name.startswith(f"{contrast} ")]:
        images.insert(1, results[0].minus(same[0]))
    return _page(prediction, grid, images)


def _page(prediction: Prediction, grid: ShownGrid, images: Sequence[Shown]) -> ViewerPage:
    motions = {f"{name} was moved by": str(motion) for name, motion in prediction.motions.items()}
    names = [file.name for file in prediction.files]
    brain = _brain(prediction, grid)
    overlays = [brain] if brain else []
    return ViewerPage(prediction.case.name, "", grid.affine, images, overlays, files=names, facts=motions)


def _brain(prediction: Prediction, grid: ShownGrid) -> Shown | None:
    """Load the mask of the brain that was given or made."""
    path = prediction.case.mask or file_of(prediction.files, BRAIN_MASK)
    return grid.mask(Path(path), "brain", "brain", is_shown=False) if path else None


def _given_images(prediction: Prediction, grid: ShownGrid, results: dict[str, Shown] | None = None) -> list[Shown]:
    """Load the case's images, moved as the network had them, in the window of the result of the same contrast."""
    images = []
    for contrast, path in zip(prediction.contrasts, prediction.case.image, strict=True):
        motion = prediction.motions.get(contrast)
        values = grid.load(Path(path), None if motion is None else motion.matrix)
        same = (results or {}).get(contrast)
        name = contrast if results is None else f"{contrast} as given"
        window = same.window if same else window_of(values, contrast)
        note = "aligned" if motion else ""
        images.append(Shown(name, values, window, prediction.unit, note=note))
    return images


def _written(path: Path, grid: ShownGrid) -> Shown:
    suffix = path.name.removesuffix(".nii.gz")
    contrast = suffix.rpartition("_")[2]
    values = grid.load(path)
    name = f"{contrast} input" if "_desc-input_" in suffix else f"{contrast} result"
    return Shown(name, values, window_of(values, contrast), "ppm" if contrast == "Chimap" else "")

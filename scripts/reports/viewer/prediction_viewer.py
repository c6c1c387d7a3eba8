"""The page with which a person looks at what a network made of one case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...running.prediction import Prediction
from ...running.written_files import LESION_MASK, file_of
from ..shown_results import BRAIN_MASK, PROBABILITY, beside, shown_result, written_images
from .listed_lesions import list_lesions
from .shown_volumes import Shown, ShownGrid, window_of
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
    grid = ShownGrid(result)
    page = (lesion_page if file_of(prediction.files, LESION_MASK) else image_page)(prediction, grid, finding)
    return write_page(page, beside(result, "viewer.html"))


def lesion_page(prediction: Prediction, grid: ShownGrid, finding: str) -> ViewerPage:
    """Show the contrasts, over them the lesions and their probability, and list the lesions."""
    images = _given_images(prediction, grid)
    mask = grid.mask(_file(prediction, LESION_MASK), "lesions", "lesions")
    overlays = [mask]
    probability = None
    if path := file_of(prediction.files, PROBABILITY):
        probability = grid.load(path)
        overlays.append(Shown("lesion probability", probability, (0.1, 1), colors="probability", note="from 0.1 on"))
    lesions = list_lesions(mask.values, grid.affine, probability)
    overlays += _brain(prediction, grid)
    return _page(prediction, grid, finding, images, overlays=overlays, lesions=lesions, first=len(images) - 1)


def image_page(prediction: Prediction, grid: ShownGrid, finding: str) -> ViewerPage:
    """Show the results, what else was written, the difference from the input, and the given images."""
    results = [_written(path, grid) for path in written_images(prediction.files)]
    given = _given_images(prediction, grid, {image.name.partition(" ")[0]: image for image in results})
    images = [*results, *given]
    contrast = results[0].name.partition(" ")[0]
    if same := [image for image in images[1:] if image.name.startswith(f"{contrast} ")]:
        images.insert(1, results[0].minus(same[0]))
    return _page(prediction, grid, finding, images, overlays=_brain(prediction, grid))


def _page(
    prediction: Prediction, grid: ShownGrid, finding: str, images: Sequence[Shown], **others: object
) -> ViewerPage:
    motions = {f"{name} was moved by": str(motion) for name, motion in prediction.motions.items()}
    names = [file.name for file in prediction.files]
    return ViewerPage(prediction.case.name, finding, grid.affine, images, files=names, facts=motions, **others)  # type: ignore[arg-type]


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


def _brain(prediction: Prediction, grid: ShownGrid) -> list[Shown]:
    path = file_of(prediction.files, BRAIN_MASK)
    return [grid.mask(path, "brain", "brain", is_shown=False)] if path else []


def _file(prediction: Prediction, suffix: str) -> Path:
    return next(file for file in prediction.files if file.name.endswith(f"_{suffix}.nii.gz"))

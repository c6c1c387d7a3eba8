"""Pages with which a person looks at what networks made of the cases of an evaluation, beside the truth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ....datasets import Case
from ...running.evaluation import Evaluation
from ...running.prediction import Prediction
from ...running.written_files import LESION_MASK, PROBABILITY, Pictures, file_of
from ..found_lesions import lesions_of
from ..metric_texts import decimals_of, number_text, title_of
from .shown_volumes import Shown, ShownGrid, probability_of, window_of
from .viewer_page import ViewerPage, write_page


def write_viewers(evaluations: Sequence[Evaluation], folder: Path) -> dict[str, Path]:
    """Write into ``folder`` a page of each case that has something to show; return the pages by case."""
    pages = {}
    for number, name in enumerate(evaluations[0].case_names):
        if (page := _page_of(evaluations, number)) is not None:
            folder.mkdir(exist_ok=True)
            file = re.sub(r"[^\w.+-]+", "-", f"{number + 1}_{name}_viewer.html")
            pages[f"{number + 1}: {name}"] = write_page(page, folder / file)
    return pages


def _page_of(evaluations: Sequence[Evaluation], number: int) -> ViewerPage | None:
    first = evaluations[0]
    if mask := file_of(first.files[number], LESION_MASK):
        return _lesion_page(evaluations, number, ShownGrid(mask))
    if first.pictures and (result := file_of(first.files[number], first.pictures.result)):
        return _image_page(evaluations, number, ShownGrid(result), first.pictures)
    return None


def _lesion_page(evaluations: Sequence[Evaluation], number: int, grid: ShownGrid) -> ViewerPage:
    first = evaluations[0]
    images = _given(first, number, grid)
    mask = grid.mask(first.file(number, LESION_MASK), first.network, "lesions")
    overlays = [mask, grid.mask(Path(first.cases[number]["label"]), "truth", "truth")]
    overlays += [grid.mask(e.file(number, LESION_MASK), e.network, "other", is_shown=False) for e in evaluations[1:]]
    path = file_of(first.files[number], PROBABILITY)
    probability = None if path is None else probability_of(grid.load(path))
    overlays += [probability] if probability else []
    paths = first.images(number)
    case = replace(Case.of(first.cases[number]), image=[str(path) for path in paths.values()])
    of_first = Prediction(case, first.files[number], contrasts=list(paths))
    page = _page(evaluations, number, grid, images)
    return replace(page, overlays=overlays, lesions=lesions_of(of_first), first=len(images) - 1)


def _image_page(evaluations: Sequence[Evaluation], number: int, grid: ShownGrid, pictures: Pictures) -> ViewerPage:
    images = list(_written(evaluations, number, grid, pictures))
    if images[-1].name == "reference":
        images.insert(1, images[0].minus(images[-1]))
    written = {suffix.rpartition("_")[2] for suffix in (pictures.result, pictures.input)}
    images += [image for image in _given(evaluations[0], number, grid) if image.name not in written]
    return _page(evaluations, number, grid, images)


def _written(evaluations: Sequence[Evaluation], number: int, grid: ShownGrid, pictures: Pictures) -> Iterator[Shown]:
    """Yield the results, the input and the reference, those of one contrast in one window."""
    suffixes = [(e.network, e.files[number], pictures.result) for e in evaluations]
    first = evaluations[0].files[number]
    suffixes += [("input", first, pictures.input), ("reference", first, pictures.reference)]
    found = {name: (suffix, file_of(files, suffix)) for name, files, suffix in suffixes}
    present = {name: (suffix, grid.load(path)) for name, (suffix, path) in found.items() if path is not None}
    target = pictures.result.rpartition("_")[2]
    truth = present.get("reference", next(iter(present.values())))[1]
    for name, (suffix, values) in present.items():
        contrast = suffix.rpartition("_")[2]
        window = (pictures.window or window_of(truth, target)) if contrast == target else window_of(values, contrast)
        yield Shown(name, values, window, pictures.unit, note=contrast)


def _given(evaluation: Evaluation, number: int, grid: ShownGrid) -> list[Shown]:
    loaded = {name: grid.load(path) for name, path in evaluation.images(number).items()}
    return [Shown(name, values, window_of(values, name)) for name, values in loaded.items()]


def _page(evaluations: Sequence[Evaluation], number: int, grid: ShownGrid, images: Sequence[Shown]) -> ViewerPage:
    metric = next(iter(evaluations[0].rows[number]))
    values = (f"{e.network} {number_text(e.rows[number][metric], decimals_of(metric))}" for e in evaluations)
    finding = f"{title_of(metric)}: {', '.join(values)}"
    names = [file.name for file in evaluations[0].files[number]]
    return ViewerPage(evaluations[0].case_names[number], finding, grid.affine, images, files=names)

"""What a guide changed: images of a network minus those of the same network without guide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import read_volume, write_volume
from ..running.evaluation import Evaluation
from ..running.written_files import file_of
from .axial_slices import display_window, load_aligned
from .html_report import MAX_PICTURES, Picture, Section
from .image_figures import ERROR_COLORS, ERROR_SHARE, slices_of_head
from .metric_texts import number_text
from .slice_panels import SlicePanels, write_note
from .table import Table
from .written_images import read_written_images

GAIN_COLORS = "PRGn"
TEXT = (
    "The result minus that of the same network without guide ({unguided}), and by how much the guide brought each "
    "voxel closer to the reference, |unguided - reference| - |guided - reference|: green is closer, purple is farther."
)


@dataclass(frozen=True)
class GuideEffect:
    """What the guide changed in one case, all RAS volumes ``(x, y, z)`` on the reference's grid.

    Attributes:
        guide: the guiding contrast.
        guided: result of the network.
        unguided: result of the network without guide.
        reference: the truth.
        voxel_size: in mm.
    """

    guide: NDArray[Any]
    guided: NDArray[Any]
    unguided: NDArray[Any]
    reference: NDArray[Any]
    voxel_size: Sequence[float]

    @property
    def difference(self) -> NDArray[Any]:
        """Guided minus unguided."""
        return self.guided - self.unguided

    @property
    def gain(self) -> NDArray[Any]:
        """By how much the guide made the error smaller."""
        gain: NDArray[Any] = abs(self.unguided - self.reference) - abs(self.guided - self.reference)
        return gain

    def shares(self) -> tuple[float, float]:
        """Return the mean change in tissue (% of the reference's mean there), and what share (%) came closer."""
        tissue = self.reference > self.reference.mean()
        if not tissue.any():
            return np.nan, np.nan
        change = abs(self.difference[tissue]).mean() / self.reference[tissue].mean()
        return 100 * change, 100 * (self.gain[tissue] > 0).mean()

    def figure(self, name: str, n_slices: int = 2) -> bytes:
        """Show the guide, whose name is given, the difference and the gain, for some axial slices."""
        low, high = display_window(self.reference)
        limit = ERROR_SHARE * (high - low)
        rows = slices_of_head(self.reference, self.voxel_size, n_slices)
        panels = SlicePanels(len(rows), 3, self.reference, self.voxel_size)
        for row, index in zip(panels.axes, rows, strict=True):
            panels.show(row[0], self.guide, index)
            panels.show(row[1], self.difference, index, (-limit, limit), cmap=ERROR_COLORS)
            panels.show(row[2], self.gain, index, (-limit, limit), cmap=GAIN_COLORS)
        panels.name_columns([name, "guided - unguided", "closer to the reference"])
        write_note(panels.figure, f"Colors from {-limit:.3g} to {limit:.3g}")
        return panels.png()


def evaluation_without_guide(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    """Return the evaluation of the first one's network without guide, as ``pictures`` of its config name it."""
    pictures = evaluations[0].pictures
    name = None if pictures is None else pictures.unguided
    return next((e for e in evaluations[1:] if name is not None and e.network == name), None)


def write_guide_effects(evaluations: Sequence[Evaluation], folder: Path) -> list[Path]:
    """Write guided minus unguided of every case as ``*_desc-guidance_<contrast>.nii.gz``, on the grid of the result."""
    guided, unguided = evaluations[0], evaluation_without_guide(evaluations)
    if unguided is None or guided.pictures is None:
        return []
    suffix, written = guided.pictures.result, []
    for files in zip(guided.files, unguided.files, strict=True):
        ours, theirs = (file_of(group, suffix) for group in files)
        if ours is None or theirs is None:
            continue
        with_guide, without = (read_volume(path, allow_constant=True) for path in (ours, theirs))
        name = ours.name.replace(suffix, f"desc-guidance_{suffix.rpartition('_')[2]}")
        place = folder / ours.relative_to(guided.output_dir).with_name(name)
        written.append(write_volume(place, with_guide.as_tensor() - without.as_tensor(), with_guide.affine))
    return written


def guide_effect_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return a table of all cases and pictures of the first ones; nothing without the network without guide."""
    unguided = evaluation_without_guide(evaluations)
    if unguided is None:
        return []
    guided, rows = evaluations[0], []
    pictures: list[Picture] = []
    for number, name in enumerate(guided.case_names):
        if (effect := _read_effect(guided, unguided, number)) is None:
            continue
        change, closer = effect.shares()
        rows.append([name, number_text(change, 2), number_text(closer, 1)])
        if len(pictures) < MAX_PICTURES:
            pictures.append(Picture(effect.figure(guided.contrasts[-1]), name, f"What the guide changed in {name}"))
    table = Table(["case", "mean change in tissue (%)", "tissue that came closer (%)"], rows)
    return [Section("Guidance", [TEXT.format(unguided=unguided.network)], [table], pictures)]


def _read_effect(guided: Evaluation, unguided: Evaluation, number: int) -> GuideEffect | None:
    written = {evaluation.network: evaluation.files[number] for evaluation in (guided, unguided)}
    found = read_written_images(written, guided.pictures)
    if found is None or guided.pictures is None or unguided.network not in found.images:
        return None
    grid = guided.file(number, guided.pictures.reference)
    (guide,), _ = load_aligned([Path(guided.cases[number]["image"][-1])], grid)
    pair = found.images[guided.network], found.images[unguided.network]
    return GuideEffect(guide, *pair, found.reference, found.voxel_size)

"""What the guide changed: images of a network minus those of the same network without guide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import read_volume, write_volume
from ..running.written_files import file_of
from .axial_slices import load_aligned
from .html_report import Picture, Section, Table
from .image_figures import change_figure
from .image_sections import MAX_PICTURES, written_images
from .tables import Evaluation

MAP = "desc-guidance"
TEXT = (
    "The result minus that of the same network without guide ({unguided}), and by how much the guide brought each "
    "voxel closer to the reference, |unguided - reference| - |guided - reference|: green is closer, purple is farther."
)


@dataclass(frozen=True)
class Change:
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

    def row(self) -> list[str]:
        """Return the mean change in tissue (% of the reference's mean there), and the share of it that came closer."""
        tissue = self.reference > self.reference.mean()
        if not tissue.any():
            return ["undefined"] * 2
        change = abs(self.difference[tissue]).mean() / self.reference[tissue].mean()
        return [f"{100 * change:.2f}", f"{100 * (self.gain[tissue] > 0).mean():.1f}"]


def find_unguided(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    """Return the evaluation of the first one's network without guide, as ``pictures`` of its config name it."""
    spec = evaluations[0].pictures
    name = None if spec is None else spec.unguided
    return next((e for e in evaluations[1:] if name is not None and e.network == name), None)


def write_guidance_maps(evaluations: Sequence[Evaluation], folder: Path) -> list[Path]:
    """Write guided minus unguided of every case as ``*_desc-guidance_<contrast>.nii.gz``, on the grid of the result."""
    guided, unguided = evaluations[0], find_unguided(evaluations)
    if unguided is None or guided.pictures is None:
        return []
    suffix, written = guided.pictures.result, []
    for files in zip(guided.files, unguided.files, strict=True):
        paths = [file_of(group, suffix) for group in files]
        if paths[0] is None or paths[1] is None:
            continue
        with_guide, without = read_volume(paths[0], allow_constant=True), read_volume(paths[1], allow_constant=True)
        name = paths[0].name.replace(suffix, f"{MAP}_{suffix.rpartition('_')[2]}")
        place = folder / paths[0].relative_to(guided.output_dir).with_name(name)
        written.append(write_volume(place, with_guide.as_tensor() - without.as_tensor(), with_guide.affine))
    return written


def guidance_section(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return a table of all cases and pictures of the first ones; nothing without the network without guide."""
    unguided = find_unguided(evaluations)
    if unguided is None:
        return []
    first, rows = evaluations[0], []
    pictures: list[Picture] = []
    for number, name in enumerate(first.case_names):
        if (change := _change(first, unguided, number)) is None:
            continue
        rows.append([name, *change.row()])
        if len(pictures) < MAX_PICTURES:
            maps = {"guided - unguided": change.difference, "closer to the reference": change.gain}
            png = change_figure(first.contrasts[-1], change.guide, maps, change.reference, change.voxel_size)
            pictures.append(Picture(png, name, f"What the guide changed in {name}"))
    header = ["case", "mean change in tissue (%)", "tissue that came closer (%)"]
    return [Section("Guidance", [TEXT.format(unguided=unguided.network)], [Table(header, rows)], pictures)]


def _change(first: Evaluation, unguided: Evaluation, number: int) -> Change | None:
    found, other = written_images(first, number), written_images(unguided, number)
    spec = first.pictures
    if found is None or other is None or spec is None:
        return None
    images, reference, voxel_size = found
    grid = next(file for file in first.files[number] if file.name.endswith(f"_{spec.reference}.nii.gz"))
    guide = load_aligned([Path(first.cases[number]["image"][-1])], grid)[0]
    pair = images[first.network], other[0][unguided.network]
    return Change(np.asarray(guide.dataobj), *pair, reference, voxel_size)

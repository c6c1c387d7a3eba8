"""What networks made of patients on whom they were not trained: probability maps, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import InputError, read_volume
from ...metrics.calibration import LogitCounts, tempered
from ...metrics.lesion_matching import match_lesions
from ...metrics.lesion_rates import LesionMatch
from ...metrics.lesion_sizes import TrueLesions
from .configuration import Configuration, Progress, no_progress
from .left_out_files import map_files
from .written_files import LESION_MASK, PROBABILITY

KEPT = 1e-6
"""Voxels of lower probability that are no lesion either are not kept: no rule that is tried makes a lesion of them."""

EASY = 1e-4
"""Voxels of lower probability say nothing on the temperature: millions that are background beyond doubt."""


@dataclass(frozen=True)
class LeftOutMap:
    """A probability map of a patient whom the network had not seen, where it is not nothing, and the truth.

    Attributes:
        patient: such as ``sub-07``.
        visit: subject and session.
        network: folder of the training, such as ``default-0``.
        shape: of the box around what is kept.
        places: of the voxels that are kept, in the flattened box, ``(n,)``.
        probability: of these voxels, float32.
        truth: which of them are lesion.
        voxel_volume: mm^3.
        written: the lesions of the mask that was written beside the map, matched with the truth.
    """

    patient: str
    visit: str
    network: str
    shape: tuple[int, ...]
    places: NDArray[np.int32]
    probability: NDArray[np.float32]
    truth: NDArray[np.bool_]
    voxel_volume: float
    written: LesionMatch

    @classmethod
    def of(cls, names: tuple[str, str, str], images: Sequence[NDArray[Any]], voxel_volume: float) -> LeftOutMap:
        """Keep what matters of a map, the truth and the written mask, each ``(x, y, z)``.

        Args:
            names: patient, visit and network.
            images: probability from 0 to 1, truth and written mask, bool.
            voxel_volume: mm^3.
        """
        probability, truth, mask = images
        kept = (probability > KEPT) | truth
        box = _box(kept)
        places = np.flatnonzero(kept[box]).astype(np.int32)
        values, is_true = (image[box].ravel()[places] for image in (probability, truth))
        shape = kept[box].shape
        return cls(*names, shape, places, values, is_true, voxel_volume, match_lesions(mask, truth, voxel_volume))

    def mask(self, threshold: float, temperature: float) -> NDArray[np.bool_]:
        """Return where the tempered probability reaches a threshold, within the box."""
        return self._in_box(self.probability >= float(tempered(threshold, 1 / temperature)))

    @cached_property
    def true_lesions(self) -> TrueLesions:
        """The lesions of the truth, within the box."""
        return TrueLesions(self._in_box(self.truth), self.voxel_volume)

    @cached_property
    def logits(self) -> LogitCounts:
        """Of the voxels that say something on the temperature."""
        return LogitCounts.of(*self.doubtful)

    @property
    def doubtful(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Probability and truth of the voxels above :data:`EASY`, chosen by the probability alone."""
        chosen = self.probability > EASY
        return self.probability[chosen], self.truth[chosen]

    @property
    def true_volume(self) -> float:
        """Of all lesions, mm^3."""
        return float(self.truth.sum()) * self.voxel_volume

    def _in_box(self, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        mask = np.zeros(self.shape, bool)
        mask.flat[self.places[values]] = True
        return mask


def read_left_out(
    results: Path,
    configuration: Configuration,
    network: str = "default",
    dataset_dir: Path | None = None,
    progress: Progress = no_progress,
) -> list[LeftOutMap]:
    """Read the probability maps of all patients that were left out, of every seed, with their truth.

    Args:
        results: output of ``compare --leave-one-out``, or of ``evaluate`` with weights that have seen no patient.
        configuration: inference and evaluation of the bundle.
        network: whose maps of a comparison, by the short name that its folders begin with.
        dataset_dir: BIDS folder or datalist with the true masks, where they have moved since.
        progress: is told of each map.

    Raises:
        InputError: if there is no such output, of fewer than two patients, or a map or its truth is missing.
    """
    found = list(map_files(results, configuration, network, dataset_dir))
    patients = sorted({names[0] for names, *_ in found})
    if len(patients) < 2:
        problem = f"holds the results of {len(patients)} left-out patients with {network}, two are needed at least"
        raise InputError.at(results, problem, "give the output folder of compare --leave-one-out, and its network")
    maps = []
    for number, (names, probability, label) in enumerate(found, start=1):
        maps.append(_read(names, probability, label))
        progress("reading", number, len(found))
    return maps


def _read(names: tuple[str, str, str], path: Path, label: str) -> LeftOutMap:
    from ...operators import voxel_size_from_affine
    from ...transforms import LoadLabeld

    probability = read_volume(path, allow_constant=True, allow_2d=True)
    written = path.with_name(path.name.replace(PROBABILITY, LESION_MASK))
    masks = [LoadLabeld()({"image": probability, "label": file})["label"][0].numpy() > 0 for file in (label, written)]
    if not 0 <= float(probability.min()) <= float(probability.max()) <= 1 + KEPT:
        raise InputError.at(path, "holds values outside of 0 to 1", "give the output of compare --leave-one-out")
    images = [np.clip(probability[0].numpy(), 0, 1), *masks]
    volume = float(voxel_size_from_affine(probability.affine.numpy()).prod())
    return LeftOutMap.of(names, images, float(f"{volume:.6g}"))


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the smallest box around a mask; one voxel where it is empty."""
    sides = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple({*range(mask.ndim)} - {axis})))
        sides.append(slice(int(hit[0]), int(hit[-1]) + 1) if hit.size else slice(0, 1))
    return tuple(sides)

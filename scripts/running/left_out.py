"""What networks made of patients on whom they were not trained: probability maps, and the truth."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import InputError, read_volume
from ...metrics.calibration import LogitCounts, tempered
from ...metrics.lesion_matching import match_lesions
from ...metrics.lesion_rates import LesionMatch
from ...metrics.lesion_sizes import TrueLesions
from ...transforms.lesion_borders import REACH, grow_to_half_maximum, white_matter_level
from ...transforms.small_lesions import drop_small_lesions
from .configuration import Configuration, Progress, no_progress
from .left_out_files import MapFiles, map_files
from .written_files import BRAIN_MASK, LESION_MASK, PROBABILITY

if TYPE_CHECKING:
    from monai.data import MetaTensor

logger = logging.getLogger(__name__)

FLAIR = "FLAIR"
"""The contrast on whose grid maps are, and into which lesions grow."""

KEPT = 1e-6
"""Voxels of lower probability that are no lesion either are not kept: no rule that is tried makes a lesion of them."""

EASY = 1e-4
"""Voxels of lower probability say nothing on the temperature: millions that are background beyond doubt."""


GROWN_THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97)
"""Of the probability as written, from which lesions grow."""

GROWN_SMALLEST = (0.0, 10.0)
"""mm^3 of a lesion that stays and grows; fewer than without growing, which takes seconds for each."""


@dataclass(frozen=True)
class Surroundings:
    """What lesions grow into.

    Attributes:
        flair: within the box of the map.
        white_matter: level of the FLAIR there.
        spacing: of voxels, in mm.
    """

    flair: NDArray[np.float32]
    white_matter: float
    spacing: tuple[float, ...]


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
        surroundings: of its lesions; None where growing is not tried.
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
    surroundings: Surroundings | None = None

    @classmethod
    def of(
        cls,
        names: tuple[str, str, str],
        images: Sequence[NDArray[Any]],
        voxel_volume: float,
        surroundings: Surroundings | None = None,
    ) -> LeftOutMap:
        """Keep what matters of a map, the truth and the written mask, each ``(x, y, z)``.

        Args:
            names: patient, visit and network.
            images: probability from 0 to 1, truth and written mask, bool.
            voxel_volume: mm^3.
            surroundings: with the whole FLAIR.
        """
        probability, truth, mask = images
        kept = (probability > KEPT) | truth
        box = _box(kept)
        if surroundings is not None:
            box = _wider(box, [math.ceil(REACH / size) for size in surroundings.spacing])
            surroundings = replace(surroundings, flair=surroundings.flair[box].copy())
        places = np.flatnonzero(kept[box]).astype(np.int32)
        values, is_true = (image[box].ravel()[places] for image in (probability, truth))
        shape = kept[box].shape
        written = match_lesions(mask, truth, voxel_volume)
        return cls(*names, shape, places, values, is_true, voxel_volume, written, surroundings)

    def mask(self, threshold: float, temperature: float) -> NDArray[np.bool_]:
        """Return where the tempered probability reaches a threshold, within the box."""
        return self._in_box(self.probability >= float(tempered(threshold, 1 / temperature)))

    def grown(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a mask within the box whose lesions have grown, see :func:`grow_to_half_maximum`."""
        if self.surroundings is None:
            raise RuntimeError(f"{self.visit}: nothing is known of what its lesions grow into")
        around = self.surroundings
        return grow_to_half_maximum(mask, around.flair, spacing=around.spacing, normal=around.white_matter)

    @cached_property
    def grown_matches(self) -> list[LesionMatch]:
        """The lesions from each of :data:`GROWN_THRESHOLDS`, and of :data:`GROWN_SMALLEST` in turn, once grown."""
        masks = (
            drop_small_lesions(self.mask(threshold, 1.0), self.voxel_volume, smallest)
            for threshold in GROWN_THRESHOLDS
            for smallest in GROWN_SMALLEST
        )
        return [self.true_lesions.match(self.grown(mask))[0] for mask in masks]

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
    patients = sorted({each.names[0] for each in found})
    if len(patients) < 2:
        problem = f"holds the results of {len(patients)} left-out patients with {network}, two are needed at least"
        raise InputError.at(results, problem, "give the output folder of compare --leave-one-out, and its network")
    maps = []
    contrasts, optional = (
        [str(name) for name in configuration.value(name)] if name in configuration else []
        for name in ("contrasts", "optional_contrasts")
    )
    grows = "grow" in configuration and FLAIR in contrasts
    for number, each in enumerate(found, start=1):
        maps.append(_read(each, contrasts if grows else [], optional))
        progress("reading", number, len(found))
    return maps


def _read(files: MapFiles, contrasts: Sequence[str], optional: Sequence[str]) -> LeftOutMap:
    from ...operators import voxel_size_from_affine
    from ...transforms import LoadLabeld

    path = files.probability
    probability = read_volume(path, allow_constant=True, allow_2d=True)
    written = path.with_name(path.name.replace(PROBABILITY, LESION_MASK))
    masks = [
        LoadLabeld()({"image": probability, "label": file})["label"][0].numpy() > 0 for file in (files.label, written)
    ]
    if not 0 <= float(probability.min()) <= float(probability.max()) <= 1 + KEPT:
        raise InputError.at(path, "holds values outside of 0 to 1", "give the output of compare --leave-one-out")
    images = [np.clip(probability[0].numpy(), 0, 1), *masks]
    volume = float(voxel_size_from_affine(probability.affine.numpy()).prod())
    around = _surroundings(files, images[2], contrasts, optional) if contrasts else None
    return LeftOutMap.of(files.names, images, float(f"{volume:.6g}"), around)


def _surroundings(
    files: MapFiles, mask: NDArray[np.bool_], contrasts: Sequence[str], optional: Sequence[str]
) -> Surroundings | None:
    """Return what lesions grow into; None, with a warning, where the images are not there any more."""
    from ...operators import voxel_size_from_affine
    from ...transforms import ApplyBrainMaskd

    given = [files.case.image] if isinstance(files.case.image, str) else list(files.case.image)
    if missing := next((file for file in (*given, files.case.mask) if file and not Path(file).exists()), None):
        message = "%s: no such image, so that growing lesions is not tried; give the dataset as `dataset_dir`"
        logger.warning(message, missing)
        return None
    brain = files.probability.with_name(files.probability.name.replace(PROBABILITY, BRAIN_MASK))
    extracted = str(brain) if brain.is_file() else files.case.mask
    try:
        images = files.case.image if isinstance(files.case.image, str) else tuple(files.case.image)
        head = _head(images, tuple(contrasts), tuple(optional))
        image = ApplyBrainMaskd()({"image": head, "mask": extracted})["image"]
    except InputError as error:
        logger.warning("%s; growing lesions is not tried", error)
        return None
    flair, t1w = (image[contrasts.index(name)].numpy() if name in contrasts else None for name in (FLAIR, "T1w"))
    if flair is None or flair.shape != mask.shape:
        message = "%s: is not on the grid of its FLAIR, %s and not %s, so that growing lesions is not tried"
        logger.warning(message, files.probability, mask.shape, None if flair is None else flair.shape)
        return None
    level = white_matter_level(mask, flair, np.zeros_like(flair) if t1w is None else t1w)
    return Surroundings(flair, level, tuple(float(size) for size in voxel_size_from_affine(image.affine.numpy())))


@lru_cache(maxsize=1)  # the maps that several networks made of a visit follow each other
def _head(images: str | tuple[str | None, ...], contrasts: tuple[str, ...], optional: tuple[str, ...]) -> MetaTensor:
    """Return the contrasts of a visit, aligned, ``(n_contrasts, x, y, z)``."""
    from ...transforms import LoadContrastsd
    from ...transforms.alignment import Register

    load = LoadContrastsd(
        contrasts=contrasts, reference=FLAIR, optional=optional, allow_nan=True, register=Register.AUTO
    )
    image: MetaTensor = load({"image": images if isinstance(images, str) else list(images)})["image"]
    return image


def _wider(box: tuple[slice, ...], margins: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(max(side.start - n, 0), side.stop + n) for side, n in zip(box, margins, strict=True))


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the smallest box around a mask; one voxel where it is empty."""
    sides = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple({*range(mask.ndim)} - {axis})))
        sides.append(slice(int(hit[0]), int(hit[-1]) + 1) if hit.size else slice(0, 1))
    return tuple(sides)

"""The lesions that a network found in a case, with their places."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from monai.data import MetaTensor

from ...datasets import read_volume
from ...metrics.brain_parts import GUIDES
from ...metrics.lesion_places import Lesion, find_lesions
from ...transforms.rigid_motion import moved_by
from ...transforms.volume_grids import resample_to
from ..running.prediction import Prediction
from ..running.written_files import BRAIN_MASK, LESION_MASK, PROBABILITY, file_of

Guide = tuple[str, str, tuple[float, ...] | None]
"""Contrast, file, and the world matrix by which it was moved, if it was."""


def lesions_of(prediction: Prediction) -> list[Lesion]:
    """Return the lesions of the mask of ``prediction``, the largest first; those of the last cases are kept."""
    mask = file_of(prediction.files, LESION_MASK)
    if mask is None:
        return []
    brain = prediction.case.mask or file_of(prediction.files, BRAIN_MASK)
    images = zip(prediction.contrasts, prediction.case.image, strict=True)
    guides = tuple(
        (name, str(path), tuple(prediction.motions[name].matrix.ravel()) if name in prediction.motions else None)
        for name, path in images
        if name in GUIDES
    )
    probability = file_of(prediction.files, PROBABILITY)
    written = mask.stat().st_mtime_ns
    return list(_lesions(mask, written, probability, None if brain is None else str(brain), guides))


@lru_cache(maxsize=4)
def _lesions(
    mask: Path,
    written: int,
    probability: Path | None,
    brain: str | None,
    guides: tuple[Guide, ...],
) -> tuple[Lesion, ...]:
    grid = _read(mask)
    images = {name: resample_to(_guide(path, motion), grid)[0].numpy() for name, path, motion in guides}
    found = find_lesions(
        grid[0].numpy(),
        grid.affine.numpy(),
        images,
        probability=None if probability is None else _read(probability)[0].numpy(),
        brain=None if brain is None else resample_to(_read(brain), grid, "nearest")[0].numpy(),
        name=mask.name,
    )
    return tuple(found)


def _read(path: Path | str) -> MetaTensor:
    return read_volume(path, allow_nan=True, allow_constant=True)


def _guide(path: str, motion: tuple[float, ...] | None) -> MetaTensor:
    image = _read(path)
    return image if motion is None else moved_by(image, np.reshape(motion, (4, 4)))

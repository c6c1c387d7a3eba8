"""The visits of a patient on one grid, halfway between all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray

from ...datasets import read_volume, write_volume
from ...transforms.alignment import Register, align
from ...transforms.halfway import Halfway, halfway_grid, register_halfway
from ...transforms.intensity_faults import repair_intensities
from ...transforms.load_masks import LoadLabeld
from ...transforms.rigid_motion import RigidMotion
from ...transforms.volume_grids import check_overlap, resample_to
from .visits import REFERENCE, Visit
from .written_files import BRAIN_MASK, LESION_MASK

SPACE = "space-halfway"


@dataclass(frozen=True)
class AlignedVisit:
    """A visit on the common grid.

    Attributes:
        visit: whose.
        images: of each contrast, ``(1, x, y, z)``.
        motion: from the visit's FLAIR to the common space.
        brain: mask, if the visit has one.
        lesions: mask that was given, if one was.
    """

    visit: Visit
    images: Mapping[str, MetaTensor]
    motion: RigidMotion
    brain: MetaTensor | None = None
    lesions: MetaTensor | None = None

    def file(self, folder: Path, suffix: str) -> Path:
        """Name a file of this visit in a folder of results."""
        anat = folder / self.visit.subject / self.visit.session / "anat"
        return anat / f"{self.visit.name}_{SPACE}_{suffix}.nii.gz"

    def write(self, folder: Path) -> None:
        """Write all images into a folder of results."""
        for name, image in self.images.items():
            write_volume(self.file(folder, name), image, image.affine)
        masks = {BRAIN_MASK: self.brain, LESION_MASK: self.lesions}
        for suffix, mask in masks.items():
            if mask is not None:
                write_volume(self.file(folder, suffix), mask, mask.affine, dtype="uint8")


@dataclass(frozen=True)
class AlignedVisits:
    """All visits of a patient.

    Attributes:
        visits: in the order of time.
        halfway: how they were brought together.
        contrast: the one by which they were.
    """

    visits: list[AlignedVisit]
    halfway: Halfway
    contrast: str


def align_visits(
    visits: Sequence[Visit], voxel_size: Sequence[float], register: Register, allow_nan: bool = False
) -> AlignedVisits:
    """Bring visits to a grid halfway between them; each image is interpolated once.

    Contrasts of a visit are aligned to its FLAIR first, as ``predict`` does. Visits are registered by their T1w where
    all of them have one, else by their FLAIR.

    Raises:
        InputError: if an image cannot be used, or registration fails.
    """
    heads = [_aligned_contrasts(visit, register, allow_nan) for visit in visits]
    contrast = "T1w" if all("T1w" in images for images in heads) else REFERENCE
    halfway = register_halfway([images[contrast] for images in heads])
    pairs = list(zip(halfway.motions, heads, strict=True))
    grid = halfway_grid([motion.apply(images[REFERENCE]) for motion, images in pairs], voxel_size)
    on_grid = [_on_grid(visit, images, motion, grid) for visit, (motion, images) in zip(visits, pairs, strict=True)]
    return AlignedVisits(on_grid, halfway, contrast)


def expected_files(visit: Visit, folder: Path) -> list[Path]:
    """Name what will be written of a visit at least."""
    named = AlignedVisit(visit, {}, RigidMotion.of(np.eye(4), np.zeros(3)))
    return [named.file(folder, suffix) for suffix in (*visit.images, LESION_MASK)]


def _aligned_contrasts(visit: Visit, register: Register, allow_nan: bool) -> dict[str, MetaTensor]:
    images = {n: repair_intensities(read_volume(file, allow_nan=allow_nan)) for n, file in visit.images.items()}
    reference = images[REFERENCE]
    for name in set(images) - {REFERENCE}:
        images[name] = align(images[name], reference, register, REFERENCE).apply(images[name])
        check_overlap(images[name], reference, REFERENCE)
    return images


def _on_grid(visit: Visit, images: Mapping[str, MetaTensor], motion: RigidMotion, grid: MetaTensor) -> AlignedVisit:
    brain = lesions = None
    if visit.mask is not None:
        brain = resample_to(motion.apply(read_volume(visit.mask, allow_constant=True)), grid, "nearest")
    if visit.lesions is not None:
        given = LoadLabeld()({"image": images[REFERENCE], "label": visit.lesions})["label"]
        lesions = _resampled_mask(motion.apply(given), grid)
    moved = {name: resample_to(motion.apply(image), grid) for name, image in images.items()}
    return AlignedVisit(visit, moved, motion, brain, lesions)


def _resampled_mask(mask: MetaTensor, grid: MetaTensor) -> MetaTensor:
    """Return where the linearly resampled mask is above a half, which keeps volumes better than nearest neighbors."""
    shares = resample_to(MetaTensor(mask.as_tensor().float(), meta=dict(mask.meta), affine=mask.affine), grid)
    return MetaTensor((shares.as_tensor() > 0.5).float(), affine=grid.affine)


def as_array(image: MetaTensor) -> NDArray[np.float32]:
    """Return the values ``(x, y, z)`` of an image ``(1, x, y, z)``."""
    return np.asarray(image.as_tensor()[0].numpy(), dtype=np.float32)

"""Two consecutive visits of a patient on one grid, compared."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray
from scipy import ndimage

from ...datasets import InputError
from ...metrics.brain_parts import GUIDES
from ...metrics.change_classes import LesionChanges
from ...metrics.change_support import NEIGHBORS
from ...metrics.lesion_changes import find_changes
from ...metrics.lesion_places import find_lesions
from ...transforms.intensity_matching import match_intensities, standardized_difference
from .aligned_visits import AlignedVisit, as_array
from .visits import REFERENCE

logger = logging.getLogger(__name__)

AROUND_LESIONS = 2  # voxels that are no reference for intensities either
UNSEEN = 0.02  # of the lesions' volume, above which it is told

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class VisitPair:
    """What became of the lesions from one visit to the next.

    Attributes:
        earlier: the visit before.
        later: the visit after.
        images: FLAIR ``(x, y, z)`` of both, their intensities matched.
        masks: lesions of both, where both were imaged.
        difference: of the FLAIR, in standard deviations; 0 outside of tissue.
        changes: of each lesion.
        places: of each lesion, in the same order.
    """

    earlier: AlignedVisit
    later: AlignedVisit
    images: tuple[NDArray[np.float32], NDArray[np.float32]]
    masks: tuple[Mask, Mask]
    difference: NDArray[np.float32]
    changes: LesionChanges
    places: list[str]

    @property
    def affine(self) -> NDArray[np.float64]:
        """Voxel-to-world matrix (RAS, mm) of the common grid."""
        return np.asarray(self.later.images[REFERENCE].affine.numpy(), np.float64)


def compare_visits(earlier: AlignedVisit, later: AlignedVisit, lesions: tuple[MetaTensor, MetaTensor]) -> VisitPair:
    """Match intensities and lesions of two aligned visits.

    Args:
        earlier: the visit before.
        later: the visit after.
        lesions: masks of both, ``(1, x, y, z)``.

    Raises:
        InputError: if the images have no tissue in common.
    """
    images = [_brain_of(visit) for visit in (earlier, later)]
    seen = np.logical_and.reduce([image != 0 for image in images])
    found = [as_array(mask) > 0.5 for mask in lesions]
    masks = found[0] & seen, found[1] & seen
    _warn_of_unseen(later, *(sum(int(mask.sum()) for mask in both) for both in (found, masks)))
    voxel_size = tuple(np.linalg.norm(later.images[REFERENCE].affine.numpy()[:3, :3], axis=0).tolist())
    tissue = _tissue(images, masks[0] | masks[1])
    try:
        before, after = match_intensities(images, tissue, voxel_size)
    except (ValueError, IndexError) as error:
        place = later.visit.images[REFERENCE]
        problem = f"shows no tissue that {earlier.visit.images[REFERENCE]} shows too"
        raise InputError.at(place, problem, "check that both show the same head") from error
    difference = standardized_difference(before, after, tissue)
    inside = tissue | masks[0] | masks[1]
    changes = find_changes(*masks, voxel_size, np.where(inside, difference, np.nan))
    both = _with_background(before, images[0]), _with_background(after, images[1])
    shown = np.where(seen, difference, 0).astype(np.float32)
    return VisitPair(earlier, later, both, masks, shown, changes, _places(later, changes))


def _brain_of(visit: AlignedVisit) -> NDArray[np.float32]:
    """Return the FLAIR, zero outside of the brain where that is known."""
    image = as_array(visit.images[REFERENCE])
    return image if visit.brain is None else image * (as_array(visit.brain) > 0)


def _with_background(matched: NDArray[np.floating], image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Set to zero again what was zero before intensities were shifted."""
    return np.where(image != 0, matched, 0).astype(np.float32)


def _tissue(images: list[NDArray[np.float32]], lesions: Mask) -> Mask:
    """Return what is brighter than its image's mean at both visits, away from lesions."""
    bright = np.logical_and.reduce([image > image.mean() for image in images])
    return np.asarray(bright & ~ndimage.binary_dilation(lesions, NEIGHBORS, iterations=AROUND_LESIONS))


def _places(later: AlignedVisit, changes: LesionChanges) -> list[str]:
    """Name the place of each lesion by the images of the later visit."""
    images = {name: as_array(image) for name, image in later.images.items() if name in GUIDES}
    brain = None if later.brain is None else as_array(later.brain)
    affine = later.images[REFERENCE].affine.numpy()
    found = find_lesions(changes.groups > 0, affine, images, brain=brain, name=later.visit.name)
    return [lesion.place for lesion in found]  # numbered alike, the largest first


def _warn_of_unseen(later: AlignedVisit, n_found: int, n_seen: int) -> None:
    share = 1 - n_seen / n_found if n_found else 0.0
    if share > UNSEEN:
        message = "%s: %.0f %% of the lesions' volume lies where one of two visits has no image, and is left out"
        logger.warning(message, later.visit.name, 100 * share)

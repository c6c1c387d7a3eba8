"""The lesions of a mask one by one: how large each is, and where it lies."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from .brain_parts import GUIDES, BrainParts, find_brain_parts

PLACES = ("periventricular", "juxtacortical", "infratentorial", "other")
UNKNOWN = "unknown"
TOUCHING = 2.0
"""Distance (mm) of voxels up to which a lesion touches ventricles or cortex."""

Points = NDArray[np.float64]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lesion:
    """One connected lesion (26 neighbors).

    Attributes:
        number: from 1, the largest first.
        volume_ml: its volume.
        center: world coordinates (RAS, mm) of its voxel that is nearest to its center of mass.
        place: one of :data:`PLACES`, or ``unknown`` where the parts of the brain were not found.
        probability: mean over its voxels; NaN without a map of probability.
    """

    number: int
    volume_ml: float
    center: tuple[float, float, float]
    place: str
    probability: float


def find_lesions(
    mask: ArrayLike,
    affine: ArrayLike,
    images: Mapping[str, ArrayLike],
    *,
    probability: ArrayLike | None = None,
    brain: ArrayLike | None = None,
    parts: BrainParts | None = None,
    name: str = "mask",
) -> list[Lesion]:
    """List the lesions of a mask with their places, as the criteria for multiple sclerosis name them.

    A lesion is infratentorial if most of it lies in brain stem or cerebellum; otherwise periventricular if it touches
    the ventricles; otherwise juxtacortical if it touches the cortex (Thompson et al. 2018, Lancet Neurol 17:162,
    doi:10.1016/S1474-4422(17)30470-2, "2017 McDonald criteria"; Filippi et al. 2019, Brain 142:1858,
    doi:10.1093/brain/awz144). Voxels that are at most 2 mm apart touch. The criteria want "no white matter in between",
    which a mask with the border of an image's voxels cannot tell better.

    Args:
        mask: of the lesions, ``(x, y, z)``.
        affine: voxel-to-world matrix (RAS, mm).
        images: ``T1w``, ``FLAIR`` or both on the mask's grid, zero outside of the brain unless ``brain`` is given;
            places are unknown without them.
        probability: of lesion, on the mask's grid.
        brain: mask of the brain, on the mask's grid.
        parts: of the brain, where they are known; found in the images otherwise.
        name: of the mask, for what is told.

    Raises:
        ValueError: if shapes differ.
    """
    labels, matrix = number_lesions(np.asarray(mask) != 0), np.asarray(affine, np.float64)
    if not labels.any():
        return []
    if parts is None and any(name in images for name in GUIDES):
        arrays = {name: np.asarray(image, np.float32) for name, image in images.items()}
        parts = find_brain_parts(arrays, matrix, labels > 0, None if brain is None else np.asarray(brain) != 0)
    if parts is None:
        logger.warning("%s: where the brain lies was not found, so that places of lesions are unknown", name)
    place_of, likely = _Places(parts), None if probability is None else np.asarray(probability)
    return [_lesion(number, voxels, matrix, likely, place_of) for number, voxels in _voxels(labels)]


class _Places:
    """Tells the place of a lesion."""

    def __init__(self, parts: BrainParts | None) -> None:
        self.parts = parts
        if parts is not None:
            self.ventricles, self.cortex = (_tree(mask, parts.affine) for mask in (parts.ventricles, parts.cortex))

    def __call__(self, points: Points) -> str:
        """Name the place of a lesion of these ``points`` ``(n, 3)`` (RAS, mm)."""
        if self.parts is None:
            return UNKNOWN
        if self._is_below(points, self.parts):
            return "infratentorial"
        for tree, place in ((self.ventricles, "periventricular"), (self.cortex, "juxtacortical")):
            if tree is not None and tree.query(points, distance_upper_bound=TOUCHING + 1e-3)[0].min() < np.inf:
                return place
        return "other"

    def _is_below(self, points: Points, parts: BrainParts) -> bool:
        voxels = _moved(points, np.linalg.inv(parts.affine)).round().astype(int)
        last = np.array(parts.infratentorial.shape) - 1
        return bool(parts.infratentorial[tuple(np.clip(voxels, 0, last).T)].mean() > 0.5)


def number_lesions(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the lesions (connected, 26 neighbors) from 1, the largest first."""
    labels, n_lesions = ndimage.label(mask, np.ones((3, 3, 3)))
    order = np.argsort(-np.bincount(labels.ravel(), minlength=n_lesions + 1)[1:], kind="stable")
    numbers = np.zeros(n_lesions + 1, np.int32)
    numbers[order + 1] = np.arange(1, n_lesions + 1)
    return numbers[labels]


def _voxels(labels: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield number and voxels ``(n, 3)`` of each lesion."""
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        yield number, np.argwhere(labels[box] == number) + [side.start for side in box]


def _lesion(
    number: int, voxels: NDArray[np.int64], affine: Points, likely: NDArray[Any] | None, place_of: _Places
) -> Lesion:
    world = _moved(voxels, affine)
    center = world[np.linalg.norm(world - world.mean(0), axis=1).argmin()]
    probability = np.nan if likely is None else float(likely[tuple(voxels.T)].mean())
    volume = len(voxels) * abs(np.linalg.det(affine)) / 1000
    x, y, z = center.tolist()
    return Lesion(number, float(volume), (x, y, z), place_of(_filled(voxels, affine)), probability)


def _filled(voxels: NDArray[np.int64], affine: NDArray[Any]) -> Points:
    """Return points of the voxels (mm), of large voxels several, at most 1 mm apart."""
    n_points = np.ceil(np.linalg.norm(affine[:3, :3], axis=0) - 0.01).astype(int)
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in n_points]
    offsets = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    return _moved((voxels[:, None] + offsets).reshape(-1, 3), affine)


def _moved(points: NDArray[Any], affine: NDArray[Any]) -> Points:
    return np.asarray(points @ affine[:3, :3].T + affine[:3, 3])


def _tree(mask: NDArray[np.bool_], affine: Points) -> KDTree | None:
    """Return a search tree of the mask's points (mm), None for an empty mask."""
    points = _moved(np.argwhere(mask), affine)
    return KDTree(points, balanced_tree=False, compact_nodes=False) if len(points) else None

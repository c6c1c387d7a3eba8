"""Whether a brain mask lies where its image lies."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray
from torch import Tensor

from ..datasets.input_error import InputError
from .volume_grids import covered_fraction, reoriented_to, resample_to

logger = logging.getLogger(__name__)

GRIDS = "grids"
"""In the ``meta`` of an image: shape and affine of each image that went into it, ``(n, 5, 4)``."""

MIN_OVERLAP = 0.5  # of the mask

MAX_DISTANCE = 0.5  # voxels, up to which headers tell the same

BETTER = 1.02  # than with its header, from which on a mask fits without; heads are nearly symmetric


def grids_of(images: list[MetaTensor]) -> NDArray[np.float64]:
    """Return shape (the last of four numbers is 0) and affine of images ``(1, x, y, z)``, as ``(n, 5, 4)``."""
    return np.stack([np.vstack([[*image.shape[1:], 0], image.affine.numpy()]) for image in images])


def check_mask_belongs(mask: MetaTensor, image: MetaTensor) -> None:
    """Refuse a mask whose header was lost on the way; warn of one of which little lies within the image.

    Such a mask has the shape of its image, or of one that went into it, and another affine: a tool kept the values and
    lost the origin or the orientation. A mask that was turned to another orientation, values and header alike, has
    voxels at the same places as its image. It is trusted, unless it fits the image better without its header.

    Args:
        mask: ``(1, x, y, z)``.
        image: ``(c, x, y, z)``, with the grids that went into it at ``grids`` in its ``meta``, where there are others.

    Raises:
        InputError: if the mask has the shape of one of the grids and the affine of none.
    """
    path = mask.meta["filename_or_obj"]
    alike = [affine for shape, affine in _grids(image) if shape == tuple(mask.shape[1:])]
    apart = [_distance(mask, affine) for affine in alike]
    if alike and min(apart) > MAX_DISTANCE and not _is_turned(mask, image, alike):
        shape, nearest = tuple(mask.shape[1:]), alike[int(np.argmin(apart))]
        difference = np.abs(mask.affine.numpy() - nearest).max()
        problem = f"mask and image have the shape {shape}, but affines that differ by {difference:.3g}"
        raise InputError.at(path, problem, "repair the mask's header, or resample it to the image's grid")
    overlap = covered_fraction(mask, image)
    if 0 < overlap < MIN_OVERLAP:
        logger.warning("%s: only %.0f %% of the brain mask lie in the image; check their headers", path, 100 * overlap)


def _grids(image: MetaTensor) -> Iterator[tuple[tuple[int, ...], NDArray[np.float64]]]:
    yield tuple(image.shape[1:]), image.affine.numpy()
    for grid in image.meta.get(GRIDS, ()):
        yield tuple(int(n) for n in grid[0, :3]), grid[1:]


def _distance(mask: MetaTensor, affine: NDArray[np.float64]) -> float:
    """Return how far the corners of a mask are at most from where ``affine`` puts them, in voxels."""
    corners = np.array([*np.ndindex(2, 2, 2)]) * (np.array(mask.shape[1:]) - 1)
    own = mask.affine.numpy()
    shifts = np.column_stack([corners, np.ones(8)]) @ (np.linalg.solve(affine, own) - np.eye(4)).T
    return float(np.linalg.norm(shifts, axis=1).max())


def _is_turned(mask: MetaTensor, image: MetaTensor, alike: list[NDArray[np.float64]]) -> bool:
    """Tell whether the mask has the voxels of a grid in another order, and fits the image no worse for that."""
    for affine in alike:
        grid = MetaTensor(mask.as_tensor(), affine=mask.affine.new_tensor(affine))
        if reoriented_to(mask, grid) is not None:
            with_header, without = (_contrast(resample_to(x, image, "nearest"), image) for x in (mask, grid))
            return without <= BETTER * with_header
    return False


def _contrast(mask: MetaTensor, image: MetaTensor) -> float:
    """Return how far an image's intensities tell inside and outside of a mask apart."""
    inside, values = mask.as_subclass(Tensor)[0] > 0, image.as_subclass(Tensor).float().mean(0)
    if not inside.any() or inside.all():
        return 0.0
    return abs(float(values[inside].mean() - values[~inside].mean()))

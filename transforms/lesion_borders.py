"""Lesion borders at half of the lesion's contrast."""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from torch import Tensor

from ..operators.b0_direction import voxel_size_from_affine
from .keyed import KeyedTransform, of_options
from .missing_contrasts import is_empty
from .small_lesions import NEIGHBORS

logger = logging.getLogger(__name__)

REACH = 4.0
"""mm that a lesion grows at most."""

BRIGHTEST = 0.6  # quantile of T1w in the brain above which most voxels are white matter
GAP = 2  # voxels between lesions and what tells the level of white matter


def grow_to_half_maximum(
    lesions: ArrayLike,
    flair: ArrayLike,
    t1w: ArrayLike | None = None,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    level: float = 0.5,
    reach: float = REACH,
    normal: float | None = None,
) -> NDArray[np.bool_]:
    """Grow every lesion to where the FLAIR is halfway between white matter and the lesion's own median.

    A network that was trained on cores finds cores, while raters draw the border at the end of what is bright. The half
    of the maximum is where a sharp border of any contrast lies after blurring. Growing seeds on the FLAIR is the way of
    Schmidt et al. 2012, NeuroImage 59:3774, doi:10.1016/j.neuroimage.2011.11.032; the rule here is simpler. A lesion
    grows by half of its radius (that of a sphere of its volume) at most, so that what is small stays so, through
    voxels that are connected to it by faces, nearest to it, and brighter than its level. A lesion that is not brighter
    than white matter stays as it is.

    Args:
        lesions: mask ``(x, y, z)``; lesions are its parts, connected by faces, edges or corners.
        flair: of the same shape, in any unit; zero outside of the brain.
        t1w: likewise; its brightest voxels tell where white matter is. Where there is none, or nothing but zeros, the
            whole brain stands in for white matter, which is a little darker on FLAIR.
        spacing: of voxels, in mm.
        level: of the border, 0 for that of white matter, 1 for that of the lesion.
        reach: mm that any lesion grows at most.
        normal: FLAIR of white matter, where it is known, as where ``flair`` is a part of the image.

    Returns:
        Mask of the same shape, which holds all of ``lesions``.

    Raises:
        ValueError: if ``level`` is not above 0 and up to 1, ``reach`` is negative, or shapes differ.
    """
    if not (0 < level <= 1 and reach >= 0):
        raise ValueError(f"level must be above 0 and up to 1 and reach not negative, got {level=}, {reach=}")
    mask, bright = np.asarray(lesions, bool), np.asarray(flair, np.float32)
    anatomy = np.zeros_like(bright) if t1w is None else np.asarray(t1w, np.float32)
    if not mask.shape == bright.shape == anatomy.shape:
        raise ValueError(f"shapes differ: lesions {mask.shape}, FLAIR {bright.shape}, T1w {anatomy.shape}")
    brain = (bright != 0) | (anatomy != 0)
    normal = white_matter_level(mask, bright, anatomy) if normal is None else normal
    if not mask.any() or math.isnan(normal):
        return mask
    parts, n_parts = ndimage.label(mask, NEIGHBORS)
    numbers = np.arange(1, n_parts + 1)
    contrast = np.asarray(ndimage.median(bright, parts, numbers)) - normal
    volumes = np.bincount(parts.ravel(), minlength=n_parts + 1)[1:] * np.prod(spacing)
    limits = np.where(contrast > 0, np.minimum((volumes * 3 / (4 * np.pi)) ** (1 / 3) / 2, reach), 0.0)
    distance, nearest = ndimage.distance_transform_edt(parts == 0, spacing, return_indices=True)
    owner = parts[tuple(nearest)] - 1
    free = brain & (distance <= limits[owner]) & (bright > normal + level * contrast[owner])
    grown: NDArray[np.bool_] = ndimage.binary_propagation(mask, mask=mask | free)
    return grown


def white_matter_level(lesions: ArrayLike, flair: ArrayLike, t1w: ArrayLike) -> float:
    """Return the median FLAIR of white matter away from lesions; NaN where there is none.

    Arguments are those of :func:`grow_to_half_maximum`.
    """
    mask, bright, anatomy = np.asarray(lesions, bool), np.asarray(flair), np.asarray(t1w)
    white = _normal_tissue(mask, anatomy, (bright != 0) | (anatomy != 0))
    return float(np.median(bright[white])) if white.any() else math.nan


def _normal_tissue(lesions: NDArray[np.bool_], t1w: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return white matter away from lesions; all of the brain away from them without T1w."""
    if not brain.any():
        return brain
    tissue = brain & ~ndimage.binary_dilation(lesions, NEIGHBORS, iterations=GAP)
    return tissue & (t1w > np.quantile(t1w[brain], BRIGHTEST)) if t1w.any() else tissue


class GrowLesionsd(KeyedTransform):
    """Dictionary version of :func:`grow_to_half_maximum`, of masks ``(1, x, y, z)``.

    Masks of a head without FLAIR, whose channel is zero, pass unchanged, with a warning.

    Args:
        keys: of masks.
        image_key: of the contrasts ``(c, x, y, z)`` on the same grid, with an affine.
        flair_channel: of the image.
        t1w_channel: of the image.
        options: arguments of the function, and of :class:`KeyedTransform`.
    """

    array = of_options(grow_to_half_maximum)

    def __init__(
        self,
        keys: KeysCollection,
        image_key: str = "image",
        flair_channel: int = 2,
        t1w_channel: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(keys, **options)
        self.image_key = image_key
        self.channels = {"flair": flair_channel, "t1w": t1w_channel}

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Let the lesions at every key grow, if there is a FLAIR."""
        image = data[self.image_key]
        if is_empty(image, self.channels["flair"]):
            place = getattr(image, "meta", {}).get("filename_or_obj", self.image_key)
            logger.warning("%s: lesions do not grow, which needs a FLAIR", place)
            return dict(data)
        return super().__call__(data)

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return both contrasts and the voxel size (mm)."""
        image = data[self.image_key]
        contrasts = {name: image[channel].cpu().numpy() for name, channel in self.channels.items()}
        return contrasts | {"spacing": voxel_size_from_affine(image.affine.numpy()).tolist()}

    def apply(self, value: Tensor, **arguments: Any) -> Tensor:
        """Return a mask of the same type."""
        mask = value.clone()
        mask[0] = torch.from_numpy(self.transform(value[0].cpu().numpy() > 0, **arguments)).to(mask.dtype)
        return mask

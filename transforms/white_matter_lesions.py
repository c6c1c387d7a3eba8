"""Lesions that lie in white matter and stand out on the FLAIR."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.filters import threshold_multiotsu

from ..operators.b0_direction import voxel_size_from_affine

FULL = np.ones((3, 3, 3), bool)  # 26 neighbors
BINS = 40  # of the T1w, with equally many voxels each
UPPER = 0.9  # quantile of a lesion's deviations that must stand out


def keep_white_matter_lesions(
    lesions: ArrayLike,
    flair: ArrayLike,
    t1w: ArrayLike,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    share: float = 0.5,
    deviations: float = 3.0,
    margin: float = 3.0,
) -> NDArray[np.bool_]:
    """Drop each lesion that white matter does not surround, or that is no outlier on the FLAIR.

    Cortex, above all that of insula and cingulum, and choroid plexus can be as bright on the FLAIR as lesions are. They
    differ in two things. What is around them is white matter to a smaller part: a lesion stays if of the brain within
    ``margin``, other lesions left out, more than ``share`` is white matter, the brightest of three classes of the T1w
    (Otsu's thresholds). And their FLAIR is usual for their T1w: with median and median absolute deviation of the FLAIR
    among all voxels of like T1w, the 0.9 quantile of a lesion has to be more than ``deviations`` robust standard
    deviations above the median. Schmidt et al. 2012, NeuroImage 59:3774, doi:10.1016/j.neuroimage.2011.11.032, find
    outliers of each tissue class in a like way, and Roura et al. 2015, Neuroradiology 57:1031,
    doi:10.1007/s00234-015-1552-2, ask for a share of white matter around a lesion.

    Args:
        lesions: mask ``(x, y, z)``; lesions are its parts, connected by faces, edges or corners.
        flair: of the same shape, in any unit; zero outside of the brain.
        t1w: likewise.
        spacing: of voxels, in mm.
        share: of white matter around a lesion, from 0 to below 1; the default is a majority.
        deviations: robust standard deviations.
        margin: mm around a lesion.

    Returns:
        Mask of the same shape, a part of ``lesions``.

    Raises:
        ValueError: if ``share`` is not from 0 to below 1, ``margin`` is not positive, or shapes differ.
    """
    mask, bright, anatomy = np.asarray(lesions, bool), np.asarray(flair, np.float32), np.asarray(t1w, np.float32)
    if not (0 <= share < 1 and margin > 0):
        raise ValueError(f"share must be from 0 to below 1 and margin positive, got {share=}, {margin=}")
    if not mask.shape == bright.shape == anatomy.shape:
        raise ValueError(f"shapes differ: lesions {mask.shape}, FLAIR {bright.shape}, T1w {anatomy.shape}")
    brain = (bright != 0) | (anatomy != 0)
    if not mask.any() or len(np.unique(anatomy[brain])) < 3:  # no three classes
        return mask
    white = brain & (anatomy > threshold_multiotsu(anatomy[brain], classes=3)[-1])
    unusual = _deviations(bright, anatomy, brain)
    parts, n_parts = ndimage.label(mask, FULL)
    padding = [int(np.ceil(margin / size)) for size in spacing]
    stays = np.zeros(n_parts + 1, bool)
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        near = tuple(slice(max(side.start - pad, 0), side.stop + pad) for side, pad in zip(box, padding, strict=True))
        lesion = parts[near] == number
        around = brain[near] & ~mask[near] & (ndimage.distance_transform_edt(~lesion, spacing) <= margin)
        is_surrounded = np.count_nonzero(white[near] & around) > share * np.count_nonzero(around)
        stays[number] = is_surrounded and np.quantile(unusual[near][lesion], UPPER) > deviations
    kept: NDArray[np.bool_] = stays[parts]
    return kept


def _deviations(flair: NDArray[np.float32], t1w: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return robust z-scores of the FLAIR among voxels of like T1w; 0 outside of the brain."""
    values, anatomy = flair[brain], t1w[brain]
    scores = np.zeros_like(values)
    for voxels in np.array_split(np.argsort(anatomy, kind="stable"), BINS):
        if voxels.size:
            excess = values[voxels] - np.median(values[voxels])
            sigma = 1.4826 * np.median(np.abs(excess))  # of a normal distribution
            scores[voxels] = excess / max(sigma, np.finfo(np.float32).tiny)
    out = np.zeros_like(flair)
    out[brain] = scores
    return out


class KeepWhiteMatterLesionsd(MapTransform):
    """Drop implausible lesions of a mask ``(1, x, y, z)``, see :func:`keep_white_matter_lesions`.

    Args:
        keys: of masks.
        image_key: of the contrasts ``(c, x, y, z)`` on the same grid, with an affine.
        flair_channel: of the image.
        t1w_channel: of the image.
        share: see there.
        deviations: see there.
        margin: see there, in mm.
    """

    def __init__(
        self,
        keys: KeysCollection,
        image_key: str = "image",
        flair_channel: int = 2,
        t1w_channel: int = 0,
        share: float = 0.5,
        deviations: float = 3.0,
        margin: float = 3.0,
    ) -> None:
        super().__init__(keys)
        self.image_key = image_key
        self.flair_channel, self.t1w_channel = flair_channel, t1w_channel
        self.share, self.deviations, self.margin = share, deviations, margin

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Filter the mask at every key."""
        out = dict(data)
        image = out[self.image_key]
        spacing = voxel_size_from_affine(image.affine.numpy()).tolist()
        flair, t1w = (image[c].cpu().numpy() for c in (self.flair_channel, self.t1w_channel))
        for key in self.key_iterator(out):
            mask = out[key]
            lesions = mask[0].cpu().numpy() > 0
            kept = keep_white_matter_lesions(lesions, flair, t1w, spacing, self.share, self.deviations, self.margin)
            out[key] = mask.clone()
            out[key][0] = torch.from_numpy(kept).to(mask.dtype)
        return out

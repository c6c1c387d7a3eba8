"""Single voxels far too bright, and backgrounds that are not zero: told, and put right; negative values: told."""

from __future__ import annotations

import logging
from typing import cast

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

BACKGROUND = "background"
"""In the ``meta`` of an image: the value of its background, which was subtracted."""

SPIKE = 5.0  # times the 0.999 quantile; the brightest voxels of 45 images of heads are at most 3.3 times as bright
CONSTANT = 0.9  # of the voxels along the edges of a volume
SAME = 1e-4  # of the range of intensities, within which values are one background
NEGATIVE = 0.05  # of the sum of absolute values; what interpolation and masks ring below zero has less
NOT_ZERO = 0.01  # of the range of intensities, from which on a background is not zero


def repair_intensities(image: MetaTensor) -> MetaTensor:
    """Clip spikes and subtract a background that is not zero, and tell both; other images stay exactly as they are.

    Whatever scales intensities takes zero for background, and a maximum for one of tissue. Images that are negative in
    large parts after that, as those of which a mean was subtracted, are told: they are no magnitudes. The background
    stands in ``meta["background"]`` then.

    Args:
        image: ``(1, x, y, z)``, as read from its file.
    """
    path, values = image.meta["filename_or_obj"], image.as_tensor()[0].numpy()
    clipped, n_spikes = clip_spikes(values)
    if n_spikes:
        message = "%s: %d voxels are outliers of up to %.6g in magnitude, clipped to %.6g; check the image"
        logger.warning(message, path, n_spikes, np.abs(values).max(), np.abs(clipped).max())
    level = background_level(clipped)
    if level:
        message = "%s: the background is %.4g, which was subtracted; give images with a background of 0"
        logger.warning(message, path, level)
        clipped = _without_background(clipped, level)
    if (share := negative_share(clipped)) > NEGATIVE:
        message = (
            "%s: %.0f %% of its intensities are negative, where networks know magnitudes; give the image as scanned"
        )
        logger.warning(message, path, 100 * share)
    if clipped is values:
        return image
    changed = _with_values(image, clipped)
    changed.meta[BACKGROUND] = level
    return changed


def clip_spikes(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Clip what is more than five times the 0.999 quantile of what is not zero, to the largest of the rest.

    Returns:
        The values, the same array where there are none, and how many were clipped.
    """
    magnitudes = np.abs(values)
    present = magnitudes[magnitudes > 0]
    if not present.size:
        return values, 0
    limit = SPIKE * np.quantile(present, 0.999, method="lower")
    n_spikes = int(np.count_nonzero(present > limit))
    if not n_spikes or limit == 0:
        return values, 0
    rest = values[magnitudes <= limit]
    return values.clip(rest.min(), rest.max()), n_spikes


def background_level(values: NDArray[np.float32]) -> float:
    """Return the one value along the edges of a volume ``(x, y, z)``; 0 where they have several, or nearly that."""
    edges = np.concatenate(
        [np.moveaxis(values, axis, 0)[:, i, j] for axis in range(3) for i in (0, -1) for j in (0, -1)]
    )
    level = float(np.median(edges))
    low, high = np.quantile(values, [0.001, 0.999])
    is_constant = np.mean(np.abs(edges - level) <= SAME * (high - low)) >= CONSTANT
    return level if is_constant and abs(level) > NOT_ZERO * (high - low) else 0.0


def negative_share(values: NDArray[np.float32]) -> float:
    """Return what negative values have of the sum of absolute values; 0 where all are 0."""
    total = float(np.abs(values).sum(dtype=np.float64))
    return float(-values[values < 0].sum(dtype=np.float64)) / total if total else 0.0


def _without_background(values: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    low, high = np.quantile(values, [0.001, 0.999])
    shifted = values - np.float32(level)
    shifted[np.abs(shifted) <= SAME * (high - low)] = 0
    return shifted


def _with_values(image: MetaTensor, values: NDArray[np.float32]) -> MetaTensor:
    changed = image.clone()
    changed[0] = changed.new_tensor(values)
    return cast(MetaTensor, changed)

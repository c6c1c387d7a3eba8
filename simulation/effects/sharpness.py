"""Sharpness: a scanner's filters and the resampling to a common grid blur images; a 2D FLAIR has thick slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..slices import between_slices, slice_profile

Volume = NDArray[np.float32]

FWHM_PER_SIGMA = 2.355
WIDTHS = {
    "FLAIR": (1.0, 2.2),
    "T1w": (0.6, 1.4),
    "T2w": (0.6, 1.6),
    "PDw": (0.6, 1.6),
}  # mm, full width at half maximum


def smooth_image(
    image: Volume, spacing: tuple[float, ...], contrast: str, strength: float, rng: np.random.Generator
) -> Volume:
    """Blur by a Gaussian, noise and all: FLAIR by 1 to 2.2 mm, the others less."""
    low, high = WIDTHS[contrast]
    width = rng.uniform(low, low + strength * (high - low))
    return ndimage.gaussian_filter(image, [width / FWHM_PER_SIGMA / size for size in spacing])


def thicken_slices(
    image: Volume, spacing: tuple[float, ...], contrast: str, strength: float, rng: np.random.Generator
) -> Volume:
    """Average a FLAIR over slices of 1.5 to 5 mm along a drawn axis, mostly axial, and interpolate it back."""
    thickness, axis = rng.uniform(1.5, 1.5 + 3.5 * strength), rng.choice(3, p=(0.2, 0.1, 0.7))
    n_slices = max(round(image.shape[axis] * spacing[axis] / thickness), 1)
    if contrast != "FLAIR" or n_slices >= image.shape[axis]:
        return image
    turned = np.moveaxis(image, axis, 2)
    slices = slice_profile(turned, turned.shape[2] / n_slices, n_slices)
    return np.ascontiguousarray(np.moveaxis(between_slices(slices, turned.shape[2]), 2, axis), dtype=np.float32)

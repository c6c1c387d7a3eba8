"""Ghosts: what pulsates on FLAIR, vessels and flowing fluid, comes back faintly along the phase encoding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]

LARGEST = 0.06  # of the image's intensity


def add_ghosts(
    image: Volume, spacing: tuple[float, ...], contrast: str, strength: float, rng: np.random.Generator
) -> Volume:
    """Add a displaced copy of a slab of a FLAIR, brighter and darker in turns, and displaced the other way."""
    axis, share = int(rng.integers(2)), strength * rng.uniform(0.01, LARGEST)
    shift, center = int(rng.uniform(15, 60) / spacing[axis]), rng.uniform(0.2, 0.6) * image.shape[2]
    if contrast != "FLAIR":
        return image
    slab = np.exp(-((((np.arange(image.shape[2]) - center) * spacing[2]) / 20.0) ** 2)).astype(np.float32)
    pulsating = (image - ndimage.gaussian_filter(image, [3.0 / size for size in spacing])) * slab
    ghost = np.roll(pulsating, shift, axis) + np.roll(pulsating, -shift, axis)
    return np.maximum(image + np.float32(share * 5) * ghost, 0).astype(np.float32)

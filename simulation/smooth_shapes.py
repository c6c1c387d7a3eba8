"""Smooth random fields, and soft balls at places of the MNI152 template."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .deformation import upsample
from .head import Head

Volume = NDArray[np.float32]

TEMPLATE_BOX = ((-71.0, 71.0), (-106.0, 73.0), 80.0)
"""Left and right, back and front, and top of the brain in MNI152 space (mm)."""


def smooth_field(shape: Sequence[int], spacing: float, length: float, rng: np.random.Generator) -> Volume:
    """Draw a field of mean 0 and standard deviation 1, smooth over ``length`` (mm)."""
    step = max(length / 2, spacing)
    coarse_shape = [int(n * spacing / step) + 2 for n in shape]
    coarse = ndimage.gaussian_filter(rng.standard_normal(coarse_shape, dtype=np.float32), length / step / 2)
    return upsample((coarse - coarse.mean())[None] / max(float(coarse.std()), 1e-6), tuple(shape))[0]


def template_places(head: Head) -> tuple[Volume, Volume, Volume]:
    """Coordinates (MNI152 mm, RAS) of a head's voxels, of shapes ``(x, 1, 1)``, ``(1, y, 1)``, ``(1, 1, z)``.

    The brain's box is scaled to the template's. What lies where is known to about a centimeter.
    """
    box = [np.flatnonzero(head.brain.any(axis=tuple({0, 1, 2} - {axis})))[[0, -1]] for axis in range(3)]
    (left, right), (back, front), top = TEMPLATE_BOX
    (x_low, x_high), (y_low, y_high), (_, z_high) = ((float(low), float(high)) for low, high in box)
    scales = [(right - left) / max(x_high - x_low, 1.0), (front - back) / max(y_high - y_low, 1.0)]
    x = left + (np.arange(head.brain.shape[0]) - x_low) * scales[0]
    y = back + (np.arange(head.brain.shape[1]) - y_low) * scales[1]
    z = top + (np.arange(head.brain.shape[2]) - z_high) * (scales[0] + scales[1]) / 2
    return (
        x.astype(np.float32)[:, None, None],
        y.astype(np.float32)[None, :, None],
        z.astype(np.float32)[None, None, :],
    )


def soft_ball(places: tuple[Volume, Volume, Volume], center: ArrayLike, radii: ArrayLike) -> Volume:
    """A Gaussian around a place: 1 in its center, 0.6 at its radii (mm), ``(x, y, z)``."""
    sizes = zip(places, np.asarray(center), np.asarray(radii), strict=True)
    x, y, z = (np.exp(-0.5 * ((p - c) / r) ** 2, dtype=np.float32) for p, c, r in sizes)
    return np.asarray(x * y * z, dtype=np.float32)


def soft_step(values: Volume, width: float) -> Volume:
    """From 0 to 1 where values pass 0, over about ``width``."""
    return np.asarray(1 / (1 + np.exp(np.clip(-values * (4 / width), -30, 30))), dtype=np.float32)

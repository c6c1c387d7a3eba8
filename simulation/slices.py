"""Slices of a volume: averaged over their thickness, and interpolated back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]


def slice_profile(signal: Volume, voxels_per_slice: float, n_slices: int) -> Volume:
    """Average ``signal`` ``(x, y, z)`` over ``n_slices`` contiguous slices along z with a rectangular profile."""
    if voxels_per_slice <= 1:
        return signal
    edges = np.linspace(0, signal.shape[2], n_slices + 1)
    cumulative = np.concatenate([np.zeros((*signal.shape[:2], 1)), np.cumsum(signal, 2, dtype=np.float64)], 2)
    lower = np.minimum(np.floor(edges).astype(int), signal.shape[2] - 1)
    at_edges = cumulative[..., lower] + (edges - lower) * signal[..., lower]
    return (np.diff(at_edges, axis=2) / np.diff(edges)).astype(np.float32)


def between_slices(image: Volume, n_planes: int) -> Volume:
    """Interpolate slices linearly to ``n_planes`` planes; the outer edges of both coincide."""
    if image.shape[2] == n_planes:
        return image
    position = (np.arange(n_planes) + 0.5) * image.shape[2] / n_planes - 0.5
    position = np.clip(position, 0, image.shape[2] - 1)
    lower = np.minimum(position.astype(int), image.shape[2] - 2)
    weight = (position - lower).astype(np.float32)
    return image[..., lower] * (1 - weight) + image[..., lower + 1] * weight

"""Trajectories through k-space as samples of its grid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .kspace_mask import Pattern

Indices = NDArray[np.int64]
Coordinates = NDArray[np.float64]

POINTS_PER_SAMPLE = 2.0  # along a trajectory, so that it skips no sample of the grid


def grid_indices(y: Coordinates, x: Coordinates, sizes: tuple[int, ...]) -> Indices:
    """Return flat indices of the samples nearest to ``(y, x)``, in samples from the center; those beyond are left out.

    Order is kept, and a sample that is met twice comes twice.
    """
    n_rows, n_columns = sizes
    rows, columns = np.rint(y).astype(int) + n_rows // 2, np.rint(x).astype(int) + n_columns // 2
    inside = (rows >= 0) & (rows < n_rows) & (columns >= 0) & (columns < n_columns)
    return np.asarray((rows * n_columns + columns)[inside])


def n_distinct(indices: Indices, center: Pattern) -> int:
    """Count the samples of a trajectory and the center together."""
    mask = center.copy()
    mask.flat[indices] = True
    return int(mask.sum())


def first_samples(indices: Indices, center: Pattern, n_sampled: int) -> Pattern:
    """Return the center and, in their order, as many further samples of ``indices`` as are due."""
    mask = center.copy()
    distinct, first = np.unique(indices, return_index=True)
    is_new = ~mask.flat[distinct]
    order = np.argsort(first[is_new], kind="stable")
    mask.flat[distinct[is_new][order][: n_sampled - int(center.sum())]] = True
    return mask


def corner_distance(sizes: tuple[int, ...]) -> float:
    """Return the distance from the center to the farthest corner, in samples."""
    return math.hypot(*(n / 2 for n in sizes)) + 1

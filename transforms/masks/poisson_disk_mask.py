"""Samples of k-space at random that keep their distance, farther apart away from the center."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from .kspace_mask import KspaceMask, Pattern, center_ellipse, squared_radius

N_HALVINGS = 8
MARGIN = 1.03  # of samples for which there is room, by those that are due


class PoissonDiskMask(KspaceMask):
    """Sample a center ellipse, and others at random that are at least ``d(r) = d0 (1 + slope r)`` apart.

    Variable-density Poisson-disk sampling (Vasanawala et al. 2011, doi:10.1109/ISBI.2011.5872579) by throwing darts:
    samples come in random order and stay if none within their d was there before. The smallest distance d0 is
    searched once for each size and acceleration, as the largest that has room for the samples that are due; the draw
    ends with these.

    Args:
        acceleration: see :class:`KspaceMask`.
        center_fraction: of all samples, in an ellipse.
        slope: by how much the distance grows from center to edge, 0 for a constant density.
        options: ``axes`` and ``slice_axis``, see :class:`KspaceMask`.

    Raises:
        ValueError: if ``slope`` is negative.
    """

    n_masked_axes = 2

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.02,
        *,
        slope: float = 2.0,
        **options: Any,
    ) -> None:
        super().__init__(acceleration, center_fraction, **options)
        if slope < 0:
            raise ValueError(f"slope must not be negative, got {slope}")
        self.slope = slope

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw the order of the samples."""
        smallest = smallest_distance(sizes, n_sampled, n_center, self.slope)
        center = center_ellipse(sizes, n_center)
        while (mask := _throw(center, _distances(sizes, smallest, self.slope), n_sampled, self.R)).sum() < n_sampled:
            smallest *= 0.95  # this order left less room than that of the search
        return mask


@functools.lru_cache(maxsize=64)
def smallest_distance(sizes: tuple[int, ...], n_sampled: int, n_center: int, slope: float) -> float:
    """Find by halving the largest d0, in samples, that has room for ``n_sampled``; a fixed order serves all tries."""
    center, wanted = center_ellipse(sizes, n_center), min(math.ceil(MARGIN * n_sampled), math.prod(sizes))
    low, high = 0.0, 2 * math.sqrt(math.prod(sizes) / max(n_sampled - n_center, 1))
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        mask = _throw(center, _distances(sizes, middle, slope), wanted, RandomState(0))
        low, high = (middle, high) if mask.sum() == wanted else (low, middle)
    return low


def _distances(sizes: tuple[int, ...], smallest: float, slope: float) -> NDArray[np.float64]:
    return np.asarray(smallest * (1 + slope * np.sqrt(squared_radius(sizes))))


def _throw(center: Pattern, distances: NDArray[np.float64], n_sampled: int, random: RandomState) -> Pattern:
    """Go through all samples in random order until ``n_sampled`` are taken."""
    mask, is_taken = center.copy(), center.copy()
    n_left = n_sampled - int(center.sum())
    for index in random.permutation(mask.size):
        if n_left <= 0:
            break
        if is_taken.flat[index]:
            continue
        row, column = divmod(int(index), mask.shape[1])
        mask[row, column] = True
        n_left -= 1
        reach, disk = _disk(round(float(distances[row, column]) ** 2))
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = is_taken[top : row + reach + 1, left : column + reach + 1]
        start_row, start_column = top - row + reach, left - column + reach
        window |= disk[start_row : start_row + window.shape[0], start_column : start_column + window.shape[1]]
    return mask


@functools.lru_cache(maxsize=1024)
def _disk(squared_distance: int) -> tuple[int, Pattern]:
    """Return the whole radius of a disk, and which samples of its square are nearer than its edge or the middle."""
    reach = math.isqrt(squared_distance)
    squares = np.square(np.arange(-reach, reach + 1))
    return reach, (squares[:, None] + squares < squared_distance) | (squares[:, None] + squares == 0)

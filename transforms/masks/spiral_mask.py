"""Spirals from the center of k-space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_ellipse
from .trajectory import POINTS_PER_SAMPLE, Indices, corner_distance, first_samples, grid_indices, n_distinct

N_HALVINGS = 12


class SpiralMask(KspaceMask):
    """Sample interleaved Archimedean spirals, on the grid, from a random angle on: radius proportional to angle.

    The number of turns is searched, so that about as many samples are met as are due; what is too much is cut at the
    outer end. Spirals go on into the corners, as in the masks that networks are trained with, so that every
    acceleration can be reached; a real spiral acquisition ends at a circle and samples off the grid. Where interleaves
    would turn less than once, there are fewer.

    Args:
        acceleration: see :class:`KspaceMask`.
        center_fraction: of all samples, in an ellipse.
        n_interleaves: number of spirals.
        options: ``axes`` and ``slice_axis``, see :class:`KspaceMask`.

    Raises:
        ValueError: if ``n_interleaves`` is less than 1.
    """

    n_masked_axes = 2

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.0,
        *,
        n_interleaves: int = 8,
        **options: Any,
    ) -> None:
        super().__init__(acceleration, center_fraction, **options)
        if n_interleaves < 1:
            raise ValueError(f"n_interleaves must be at least 1, got {n_interleaves}")
        self.n_interleaves = n_interleaves

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw the angle at which the first spiral starts."""
        start = self.R.uniform(0, 2 * np.pi)
        center = center_ellipse(sizes, n_center)
        n_spirals = self.n_interleaves
        while n_spirals > 1 and n_distinct(_spirals(sizes, start, n_spirals, 1.0), center) > n_sampled:
            n_spirals -= 1
        few, many = 0.0, 2 * corner_distance(sizes) / n_spirals  # turns; the latter leave no gap
        for _ in range(N_HALVINGS):
            middle = (few + many) / 2
            if n_distinct(_spirals(sizes, start, n_spirals, middle), center) < n_sampled:
                few = middle
            else:
                many = middle
        return first_samples(_spirals(sizes, start, n_spirals, many), center, n_sampled)


def _spirals(sizes: tuple[int, ...], start: float, n_spirals: int, n_turns: float) -> Indices:
    """Return the samples of all spirals, in the order of their radius."""
    length = corner_distance(sizes)
    radius = np.linspace(0, 1, 1000)
    arc = np.cumsum(np.hypot(1, 2 * math.pi * n_turns * radius)) * length / len(radius)
    n_points = math.ceil(POINTS_PER_SAMPLE * arc[-1])
    radius = np.interp(np.linspace(arc[0], arc[-1], n_points), arc, radius)[:, None]
    angle = start + 2 * np.pi * (n_turns * radius + np.arange(n_spirals) / n_spirals)
    return grid_indices((length * radius * np.sin(angle)).ravel(), (length * radius * np.cos(angle)).ravel(), sizes)

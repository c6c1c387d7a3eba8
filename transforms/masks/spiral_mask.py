"""Spirals from the center of k-space, with variable density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_ellipse
from .trajectory import (
    POINTS_PER_SAMPLE,
    Coordinates,
    Indices,
    corner_distance,
    first_samples,
    grid_indices,
    n_distinct,
)

N_HALVINGS = 12
N_RADII = 2000
FULL_SHARE = 1 / 8  # of the way to the nearest edge that is sampled fully, if that takes at most half of the samples
CENTER_GAP = 0.5  # samples between turns there; leaves no sample of the grid out


class SpiralMask(KspaceMask):
    """Sample interleaved spirals of variable density, on the grid, from a random angle on.

    Turns lie so close to each other near the center that all samples there are met, up to an eighth of the way to the
    nearest edge, and then ever farther apart, by as much for each sample outwards, as with a field of view that
    shrinks: Lee et al. 2003, Magn Reson Med 50:1276, doi:10.1002/mrm.10644. How much is searched, so that about as many
    samples are met as are due; what is too much is cut at the outer end. The full center takes at most half of them.

    Spirals go on into the corners, as in the masks that networks are trained with, so that every acceleration can be
    reached; a real spiral acquisition ends at a circle and samples off the grid. Where interleaves that leave the
    center at once would sample too much, there are fewer.

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
        full = min(FULL_SHARE * min(sizes) / 2, math.sqrt(n_sampled / (2 * math.pi)))
        radius = np.linspace(0, corner_distance(sizes), N_RADII)

        def samples(growth: float) -> Indices:
            gap = CENTER_GAP + growth * np.maximum(radius - full, 0)
            return _spirals(sizes, start, n_spirals, radius, gap)

        while n_spirals > 1 and n_distinct(samples(1.0), center) > n_sampled:
            n_spirals -= 1
        dense, sparse = 0.0, 1.0  # growth of the gap by each sample; the former leaves no gap
        for _ in range(N_HALVINGS):
            middle = (dense + sparse) / 2
            if n_distinct(samples(middle), center) < n_sampled:
                sparse = middle
            else:
                dense = middle
        return first_samples(samples(dense), center, n_sampled)


def _spirals(sizes: tuple[int, ...], start: float, n_spirals: int, radius: Coordinates, gap: Coordinates) -> Indices:
    """Return the samples of all spirals, in the order of their radius, with ``gap`` between turns at each radius."""
    step = radius[1] - radius[0]
    angle = np.cumsum(2 * math.pi / (n_spirals * gap)) * step
    arc = np.cumsum(np.hypot(1, radius * 2 * math.pi / (n_spirals * gap))) * step
    places = np.linspace(arc[0], arc[-1], math.ceil(POINTS_PER_SAMPLE * arc[-1]))
    radius, angle = np.interp(places, arc, radius)[:, None], np.interp(places, arc, angle)[:, None]
    angles = start + angle + 2 * np.pi * np.arange(n_spirals) / n_spirals
    return grid_indices((radius * np.sin(angles)).ravel(), (radius * np.cos(angles)).ravel(), sizes)

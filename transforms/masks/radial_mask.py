"""Lines through the center of k-space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_ellipse
from .trajectory import POINTS_PER_SAMPLE, Indices, corner_distance, first_samples, grid_indices, n_distinct

Angles = Literal["uniform", "golden"]
GOLDEN_ANGLE = np.pi * (np.sqrt(5) - 1) / 2  # Winkelmann et al. 2007, doi:10.1109/TMI.2006.885337


class RadialMask(KspaceMask):
    """Sample lines through the center, on the grid, from a random angle on.

    As many lines as it takes; the last is cut to the number of samples that is due. Lines go on into the corners, as
    in the masks that networks are trained with, so that every acceleration can be reached; a real radial acquisition
    ends at a circle and samples off the grid.

    Args:
        acceleration: see :class:`KspaceMask`.
        center_fraction: of all samples, in an ellipse.
        angles: divide the half turn ``"uniform"``-ly, or go on by the ``"golden"`` angle.
        options: ``axes`` and ``slice_axis``, see :class:`KspaceMask`.

    Raises:
        ValueError: for other ``angles``.
    """

    n_masked_axes = 2

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.0,
        *,
        angles: Angles = "uniform",
        **options: Any,
    ) -> None:
        super().__init__(acceleration, center_fraction, **options)
        if angles not in get_args(Angles):
            raise ValueError(f"angles must be one of {', '.join(get_args(Angles))}, got {angles}")
        self.angles = angles

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw the angle of the first line."""
        start = self.R.uniform(0, np.pi)
        center = center_ellipse(sizes, n_center)
        n_lines = max(1, (n_sampled - n_center) // (2 * max(sizes)))
        while n_distinct(lines := self._lines(sizes, start, n_lines), center) < n_sampled:
            n_lines += max(1, n_lines // 20)
        while n_lines > 1 and n_distinct(fewer := self._lines(sizes, start, n_lines - 1), center) >= n_sampled:
            lines, n_lines = fewer, n_lines - 1
        return first_samples(lines, center, n_sampled)

    def _lines(self, sizes: tuple[int, ...], start: float, n_lines: int) -> Indices:
        step = GOLDEN_ANGLE if self.angles == "golden" else np.pi / n_lines
        angles = start + step * np.arange(n_lines)[:, None]
        length = corner_distance(sizes)
        radii = np.linspace(0, length, int(POINTS_PER_SAMPLE * length))
        outward = np.stack([radii, -radii], 1).ravel()  # from the center to both ends at once
        return grid_indices((np.sin(angles) * outward).ravel(), (np.cos(angles) * outward).ravel(), sizes)

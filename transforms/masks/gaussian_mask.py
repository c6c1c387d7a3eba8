"""Samples of k-space at random, denser near the center."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_ellipse, squared_radius


class GaussianMask(KspaceMask):
    """Sample a center ellipse, and others with a probability that falls off as a Gaussian.

    Weighted sampling without replacement: those with the smallest ``e / w`` are taken, e exponential,
    ``w = exp(-r^2 / (2 sigma^2))`` (Efraimidis and Spirakis 2006, doi:10.1016/j.ipl.2005.11.003).

    Args:
        acceleration: see :class:`KspaceMask`.
        center_fraction: see :class:`KspaceMask`.
        sigma: standard deviation, in units of the distance from center to edge.
        options: ``axes`` and ``slice_axis``, see :class:`KspaceMask`.

    Raises:
        ValueError: if ``sigma`` is not positive.
    """

    n_masked_axes = 2

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.02,
        *,
        sigma: float = 0.4,
        **options: Any,
    ) -> None:
        super().__init__(acceleration, center_fraction, **options)
        if sigma <= 0:
            raise ValueError(f"sigma must be positive, got {sigma}")
        self.sigma = sigma

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw one number for each sample."""
        mask = center_ellipse(sizes, n_center)
        keys = np.log(self.R.standard_exponential(sizes)) + squared_radius(sizes) / (2 * self.sigma**2)
        order = np.argsort(np.where(mask, np.inf, keys), axis=None)
        mask.flat[order[: n_sampled - n_center]] = True
        return mask

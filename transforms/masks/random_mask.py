"""Columns of k-space at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_columns


class RandomMask(KspaceMask):
    """Sample a block of center columns, and others at random with equal probability.

    Of fastMRI (Zbontar et al. 2018, arXiv:1811.08839), where each other column is sampled with
    ``p = (N / R - n_center) / (N - n_center)``, so that the number of columns varies. Here, the columns with the
    smallest draws are taken, in the number that is due; with ``exact=False`` those with draws below p, which is the
    mask of MONAI's ``RandomKspaceMask`` for the same random state.

    Args:
        acceleration: see :class:`KspaceMask`.
        center_fraction: see :class:`KspaceMask`.
        axes: see :class:`KspaceMask`.
        slice_axis: see :class:`KspaceMask`.
        exact: sample the number of columns that is due, not that on average.
    """

    n_masked_axes = 1

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.08,
        axes: Sequence[int] = (-2, -1),
        slice_axis: int | None = None,
        exact: bool = True,
    ) -> None:
        super().__init__(acceleration, center_fraction, axes, slice_axis)
        self.exact = exact

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw one number for each column, center included, as fastMRI does."""
        (n,) = sizes
        draws, mask = self.R.uniform(size=n), center_columns(n, n_center)
        if not self.exact:
            return mask | (draws < (n / self.acceleration - n_center) / (n - n_center))
        mask[np.argsort(np.where(mask, np.inf, draws))[: n_sampled - n_center]] = True
        return mask

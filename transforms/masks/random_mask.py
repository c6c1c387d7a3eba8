"""Columns of k-space at random."""

from __future__ import annotations

import numpy as np

from .fastmri_mask import FastMRIMask
from .kspace_mask import Pattern, center_columns


class RandomMask(FastMRIMask):
    """Sample a block of center columns, and others at random with equal probability.

    Of fastMRI (Zbontar et al. 2018, arXiv:1811.08839), where each other column is sampled with
    ``p = (N / R - n_center) / (N - n_center)``, so that the number of columns varies. Here, the columns with the
    smallest draws are taken, in the number that is due; with ``exact=False`` those with draws below p, which is the
    mask of MONAI's ``RandomKspaceMask`` for the same random state.

    Arguments are those of :class:`FastMRIMask`.
    """

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw one number for each column, center included, as fastMRI does."""
        (n,) = sizes
        draws, mask = self.R.uniform(size=n), center_columns(n, n_center)
        if not self.exact:
            return mask | (draws < (n / self.acceleration - n_center) / (n - n_center))
        mask[np.argsort(np.where(mask, np.inf, draws))[: n_sampled - n_center]] = True
        return mask

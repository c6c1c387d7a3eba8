"""Columns of k-space at equal distances, beside the center."""

from __future__ import annotations

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_columns


class UniformMask(KspaceMask):
    """Sample a block of center columns, and every s-th of the others, from a random one on.

    ``s = (N - n_center) / (n_sampled - n_center)``, rounded column by column; without center columns, s is the
    acceleration. Arguments are those of :class:`KspaceMask`.
    """

    n_masked_axes = 1

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw the first column."""
        (n,) = sizes
        mask = center_columns(n, n_center)
        others, n_lines = np.flatnonzero(~mask), n_sampled - n_center
        start = self.R.uniform()
        mask[others[((np.arange(n_lines) + start) * len(others) / max(n_lines, 1)).astype(int)]] = True
        return mask

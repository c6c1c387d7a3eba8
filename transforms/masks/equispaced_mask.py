"""Equispaced columns of k-space, as fastMRI defines them."""

from __future__ import annotations

import numpy as np

from .fastmri_mask import FastMRIMask
from .kspace_mask import Pattern, center_columns

STRETCHES = np.linspace(0, 0.5, 101)  # of the spacing, tried in this order


class EquispacedMask(FastMRIMask):
    """Sample a block of center columns, and equispaced columns over all of k-space, the center included.

    Of fastMRI (Zbontar et al. 2018, arXiv:1811.08839, and its code): columns ``round(o + i s)`` below
    ``N - 1``, spacing ``s = R (n_center - N) / (n_center R - N)``, which makes up for the center on average, random
    whole offset o below ``round(s)``. Where the number of columns differs from ``N / R``, the spacing is stretched or
    shrunk here as little as it takes; with ``exact=False`` never, which is the mask of MONAI's
    ``EquispacedKspaceMask`` for the same random state.

    Arguments are those of :class:`FastMRIMask`.
    """

    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw the offset."""
        (n,) = sizes
        center = center_columns(n, n_center)
        room = n_center * self.acceleration - n
        if room >= 0:  # the center alone has all samples
            return center
        spacing = self.acceleration * (n_center - n) / room
        offset = int(self.R.randint(0, round(spacing)))
        mask = center | _comb(n, offset, spacing)
        if not self.exact or mask.sum() == n_sampled:
            return mask
        sign = np.sign(int(mask.sum()) - n_sampled)
        masks = [center | _comb(n, offset, spacing * (1 + sign * stretch)) for stretch in STRETCHES]
        nearest = min(masks, key=lambda candidate: abs(int(candidate.sum()) - n_sampled))
        return _corrected(nearest, center, n_sampled)


def _comb(n: int, offset: int, spacing: float) -> Pattern:
    mask = np.zeros(n, bool)
    mask[np.around(np.arange(offset, n - 1, spacing)).astype(int)] = True
    return mask


def _corrected(mask: Pattern, center: Pattern, n_sampled: int) -> Pattern:
    """Add or drop the outermost columns by which no spacing gave the right number."""
    mask = mask.copy()
    outward = np.argsort(-abs(np.arange(len(mask)) - len(mask) // 2), kind="stable")
    surplus = int(mask.sum()) - n_sampled
    if surplus > 0:
        mask[outward[(mask & ~center)[outward]][:surplus]] = False
    if surplus < 0:
        mask[outward[~mask[outward]][:-surplus]] = True
    return mask

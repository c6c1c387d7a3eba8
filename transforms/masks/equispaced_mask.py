"""Equispaced columns of k-space, as fastMRI defines them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .kspace_mask import KspaceMask, Pattern, center_columns

STRETCHES = np.linspace(0, 0.5, 101)  # of the spacing, tried in this order


class EquispacedMask(KspaceMask):
    """Sample a block of center columns, and equispaced columns over all of k-space, the center included.

    Of fastMRI (Zbontar et al. 2018, arXiv:1811.08839, and its code): columns ``round(o + i s)`` below
    ``N - 1``, spacing ``s = R (n_center - N) / (n_center R - N)``, which makes up for the center on average, random
    whole offset o below ``round(s)``. Where the number of columns differs from ``N / R``, the spacing is stretched or
    shrunk here as little as it takes; with ``exact=False`` never, which is the mask of MONAI's
    ``EquispacedKspaceMask`` for the same random state.

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

"""What fastMRI's masks of columns share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .kspace_mask import KspaceMask


class FastMRIMask(KspaceMask):
    """A mask of columns after fastMRI (Zbontar et al. 2018, arXiv:1811.08839), in the number that is due.

    Args:
        acceleration: see :class:`KspaceMask`.
        center_fraction: see :class:`KspaceMask`.
        exact: False for that number on average only, as in fastMRI.
        options: ``axes`` and ``slice_axis``, see :class:`KspaceMask`.
    """

    n_masked_axes = 1

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.08,
        *,
        exact: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(acceleration, center_fraction, **options)
        self.exact = exact

"""A simulated phase for images of which only the magnitude was kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from monai.transforms import RandomizableTransform
from numpy.typing import NDArray
from torch import Tensor

from .keyed import RandomKeyedTransform


class RandSmoothPhase(RandomizableTransform):
    """Give a magnitude image a smooth random phase. This is a simulation: the phase of the scan is lost.

    Without phase, an image of real numbers has k-space with conjugate symmetry, from which a reconstruction can get
    half of the samples for nothing. The phase is a sum of cosines of up to ``order`` half periods along each spatial
    axis, with normal coefficients and a uniform constant; all channels have the same.

    Args:
        spread: standard deviation of the phase about its constant, on average, degrees.
        order: highest number of half periods, at least 1.
        prob: how often there is a phase; without, the image is complex with phase 0.

    Raises:
        ValueError: if ``spread`` is negative or ``order`` less than 1.
    """

    def __init__(self, spread: float = 60.0, order: int = 3, prob: float = 1.0) -> None:
        RandomizableTransform.__init__(self, prob)
        if spread < 0:
            raise ValueError(f"spread must not be negative, got {spread}")
        if order < 1:
            raise ValueError(f"order must be at least 1, got {order}")
        self.spread = math.radians(spread)
        self.order = order
        self.constant = 0.0
        self.coefficients: NDArray[np.float64] = np.zeros(0)

    def randomize(self, n_spatial: int) -> None:
        """Draw whether, and the coefficients of ``n_spatial`` axes."""
        super().randomize(None)
        self.constant = self.R.uniform(-math.pi, math.pi)
        shape = (self.order + 1,) * n_spatial
        variances = np.reshape([0.5 ** np.count_nonzero(index) for index in np.ndindex(shape)], shape)
        variances[(0,) * n_spatial] = 0
        self.coefficients = self.R.standard_normal(shape) * self.spread * (variances > 0) / math.sqrt(variances.sum())

    def phase(self, sizes: Sequence[int]) -> Tensor:
        """Return the phase that was drawn, in radians, on a grid of ``sizes``."""
        values = torch.from_numpy(self.coefficients)
        orders = torch.arange(self.order + 1)
        for n in sizes:  # each turn consumes the first axis and appends it as one of space
            cosines = torch.cos(math.pi * orders[:, None] * (torch.arange(n, dtype=torch.float64) + 0.5) / n)
            values = torch.tensordot(values, cosines, ([0], [0]))
        return values + self.constant

    def __call__(self, magnitude: Tensor, randomize: bool = True) -> Tensor:
        """Return a complex image ``(c, *spatial)`` of the same magnitude."""
        if randomize:
            self.randomize(magnitude.ndim - 1)
        if not self._do_transform:
            return magnitude * torch.ones((), dtype=torch.complex64, device=magnitude.device)
        turn = torch.polar(torch.ones((), dtype=torch.float64), self.phase(magnitude.shape[1:]))
        dtype = torch.complex128 if magnitude.dtype == torch.float64 else torch.complex64
        return magnitude * turn.to(magnitude.device, dtype)


class RandSmoothPhased(RandomKeyedTransform):
    """Dictionary version of :class:`RandSmoothPhase`; every key has a phase of its own, as every scan has."""

    array = RandSmoothPhase

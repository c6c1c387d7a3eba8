"""The noise of the complex signal, from the signal itself or from what the fit over echoes leaves."""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor

NORMAL = 0.6745  # median of the absolute value of a standard normal number
MEDIANS = {1: 0.4549, 2: 1.3863, 3: 2.3660, 4: 3.3567, 5: 4.3515, 6: 5.3481}
"""Of chi-squared numbers by degrees of freedom."""


def high_pass_noise(phase: Tensor, magnitude: Tensor, mask: Tensor) -> float:
    """Return the noise's standard deviation in each part of complex images ``(n, x, y, z)``, within a mask.

    By the median of the finest diagonal details (Haar), which anatomy hardly has: Donoho and Johnstone 1994, Biometrika
    81:425, doi:10.1093/biomet/81.3.425. Images that were interpolated have less of it than their noise.
    """
    signal = torch.polar(magnitude, phase)
    details = reduce(lambda x, axis: (x.diff(dim=axis)) / math.sqrt(2), (1, 2, 3), signal)
    inside = (mask > 0)[1:, 1:, 1:].expand(len(phase), -1, -1, -1)
    values = torch.view_as_real(details[inside]).abs()
    return float(values.median()) / NORMAL if values.numel() else 0.0


def noise_of_fit(residual: Tensor, magnitude: Tensor, mask: Tensor, freedom: int) -> float:
    """Return the same from the residual of a fit (rad) ``(x, y, z)`` with ``freedom`` degrees of freedom in each voxel.

    The median over the mask, so that voxels of flow or of a broken line do not count.

    Args:
        residual: see :class:`~.echo_fit.EchoFit`.
        magnitude: of the echoes, ``(n, x, y, z)``.
        mask: ``(x, y, z)``.
        freedom: echoes less the numbers that were fitted.
    """
    squares = (residual**2 * (magnitude**2).mean(0) * freedom)[mask > 0]
    expected = MEDIANS.get(freedom, freedom * (1 - 2 / (9 * freedom)) ** 3)
    return math.sqrt(float(squares.median()) / expected) if squares.numel() else 0.0

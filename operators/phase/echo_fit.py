"""The field from the unwrapped phase of echoes, and how well it fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .lines import fit_line, fit_through_zero, moments

WITH_OFFSET = 3
"""Echoes from which on the phase at time zero is fitted too."""


class EchoFit(NamedTuple):
    """Lines of the phase of echoes over time.

    Attributes:
        field: Hz, ``(x, y, z)``.
        offset: phase at time zero (rad), ``(x, y, z)``; zero where it was not fitted.
        residual: root mean square of the distances from the line (rad), weighted by the magnitude and per degree of
            freedom, ``(x, y, z)``; zero where there is no such degree.
        sensitivity: standard deviation of the field (Hz) for a noise of 1 in each part of the complex signal.
    """

    field: Tensor
    offset: Tensor
    residual: Tensor
    sensitivity: Tensor


def fit_echoes(phase: Tensor, magnitude: Tensor, echo_times: Sequence[float]) -> EchoFit:
    """Fit ``phase = offset + 2 pi field time`` to echoes ``(n, x, y, z)``, weighted by the squared magnitude.

    The noise of phase is that of the signal over its magnitude, so that these weights are the best ones (as in Kressler
    et al. 2010, IEEE Trans Med Imaging 29:273, doi:10.1109/TMI.2009.2023787). The offset, of coils and pulse, needs
    three echoes. With one or two the line goes through zero, and what an offset would have been is part of the field;
    it is smooth, and removed with the background.

    Args:
        phase: rad, unwrapped from echo to echo.
        magnitude: of the same shape.
        echo_times: s.
    """
    times, weights = torch.tensor(echo_times, dtype=phase.dtype), magnitude**2
    t = times[:, None, None, None]
    if len(phase) >= WITH_OFFSET:
        slope, offset = fit_line(phase, weights, times)
        spread = moments(weights, times)[1]
    else:
        slope = fit_through_zero(phase, weights, times)
        offset, spread = torch.zeros_like(slope), (weights * t**2).sum(0).clamp(min=1e-30)
    freedom = len(phase) - (2 if len(phase) >= WITH_OFFSET else 1)
    squares = (weights * (phase - offset - slope * t) ** 2).sum(0) / weights.mean(0).clamp(min=1e-30)
    residual = (squares / freedom).sqrt() if freedom else torch.zeros_like(slope)
    return EchoFit(slope / (2 * math.pi), offset, residual, spread.rsqrt() / (2 * math.pi))

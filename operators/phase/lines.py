"""Weighted lines through the echoes of each voxel."""

from __future__ import annotations

import torch
from torch import Tensor


def fit_line(values: Tensor, weights: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """Return slope and offset, ``(*)``, of the line nearest to values ``(n, *)`` by weighted squares; 0 without weight.

    Args:
        values: at the times.
        weights: not negative, of the same shape.
        times: ``(n,)``.
    """
    mean_time, spread, total = moments(weights, times)
    mean = (weights * values).sum(0) / total
    t = times.reshape(-1, *[1] * (values.ndim - 1)) - mean_time
    slope = (weights * t * (values - mean)).sum(0) / spread
    return slope, mean - slope * mean_time


def fit_through_zero(values: Tensor, weights: Tensor, times: Tensor) -> Tensor:
    """Return the slope, ``(*)``, of the line through zero at time zero, as :func:`fit_line`."""
    t = times.reshape(-1, *[1] * (values.ndim - 1))
    return (weights * t * values).sum(0) / _positive((weights * t**2).sum(0))


def moments(weights: Tensor, times: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean time, the sum of weighted squares around it, and the sum of weights."""
    t = times.reshape(-1, *[1] * (weights.ndim - 1))
    total = _positive(weights.sum(0))
    mean_time = (weights * t).sum(0) / total
    return mean_time, _positive((weights * (t - mean_time) ** 2).sum(0)), total


def _positive(values: Tensor) -> Tensor:
    return values.clamp(min=torch.finfo(values.dtype).tiny)

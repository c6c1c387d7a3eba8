"""Finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from .linear_operator import LinearOperator


class Gradient(LinearOperator):
    """Forward differences along each axis of what is taken as periodic, ``(*)`` to ``(n_axes, *)``.

    Args:
        axes: counted from the end.
        spacing: by which the differences of each axis are divided, ``(n_axes, ...)``; 1 if it is None.
    """

    def __init__(self, axes: Sequence[int], spacing: Tensor | None = None) -> None:
        self.axes = tuple(axes)
        self.spacing = spacing

    def __call__(self, x: Tensor, /) -> Tensor:
        """Return the differences."""
        return self._per_spacing(torch.stack([x.roll(-1, axis) - x for axis in self.axes]))

    def adjoint(self, y: Tensor, /) -> Tensor:
        """Return minus the divergence."""
        parts = zip(self.axes, self._per_spacing(y), strict=True)
        return reduce(torch.add, (part.roll(1, axis) - part for axis, part in parts))

    def _per_spacing(self, differences: Tensor) -> Tensor:
        return differences if self.spacing is None else differences / self.spacing


def volume_gradient(voxel_size: Tensor) -> Gradient:
    """Return the differences per mm of volumes ``(b, 1, x, y, z)``.

    Args:
        voxel_size: mm, ``(b, 3)`` or ``(1, 3)``.
    """
    return Gradient((-3, -2, -1), voxel_size.T[..., None, None, None, None])


def gradient_power(shape: Sequence[int], voxel_size: Tensor) -> Tensor:
    """Return the spectrum of :func:`volume_gradient`'s gram, ``sum_a (2 - 2 cos(2 pi n_a / N_a)) / dx_a^2``.

    Args:
        shape: voxels along each axis.
        voxel_size: mm, ``(b, 3)``.

    Returns:
        ``(b, 1, *shape)`` with zero frequency, where it is zero, first.
    """
    angles = [2 * torch.pi * torch.fft.fftfreq(n, dtype=voxel_size.dtype, device=voxel_size.device) for n in shape]
    x, y, z = ((2 - 2 * a.cos()) / voxel_size[:, i, None] ** 2 for i, a in enumerate(angles))
    return (x[:, :, None, None] + y[:, None, :, None] + z[:, None, None, :])[:, None]

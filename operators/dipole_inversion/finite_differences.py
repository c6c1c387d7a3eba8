"""Periodic forward differences, their adjoint, and their spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..dipole import SPATIAL


def gradient(image: Tensor, voxel_size: Tensor) -> Tensor:
    """Take forward differences per mm of ``(b, 1, x, y, z)`` along each axis: ``(b, 3, x, y, z)``.

    Args:
        image: taken as periodic.
        voxel_size: mm, ``(b, 3)`` or ``(1, 3)``.
    """
    differences = torch.cat([image.roll(-1, axis) - image for axis in SPATIAL], 1)
    return differences / voxel_size[..., None, None, None]


def gradient_adjoint(differences: Tensor, voxel_size: Tensor) -> Tensor:
    """Apply the adjoint of :func:`gradient`, minus the divergence, to ``(b, 3, x, y, z)``: ``(b, 1, x, y, z)``."""
    scaled = differences / voxel_size[..., None, None, None]
    x, y, z = (part.roll(1, axis) - part for part, axis in zip(scaled.split(1, 1), SPATIAL, strict=True))
    return x + y + z


def gradient_power(shape: Sequence[int], voxel_size: Tensor) -> Tensor:
    """Return the spectrum of adjoint times gradient, ``sum_a (2 - 2 cos(2 pi n_a / N_a)) / dx_a^2``.

    Args:
        shape: voxels along each axis.
        voxel_size: mm, ``(b, 3)``.

    Returns:
        ``(b, 1, *shape)`` with zero frequency, where it is zero, first.
    """
    angles = [2 * torch.pi * torch.fft.fftfreq(n, dtype=voxel_size.dtype, device=voxel_size.device) for n in shape]
    x, y, z = ((2 - 2 * a.cos()) / voxel_size[:, i, None] ** 2 for i, a in enumerate(angles))
    return (x[:, :, None, None] + y[:, None, :, None] + z[:, None, None, :])[:, None]

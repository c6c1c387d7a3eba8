"""Dipole inversion by division in k-space, with small values of the dipole kernel held off."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import dipole_kernel, filter_kspace, padded_shape


def tkd(
    field: Tensor,
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    mask: Tensor | None = None,
    threshold: float = 0.15,
    *,
    padding: float = 1.0,
) -> Tensor:
    """Divide by the dipole kernel, whose absolute value is kept from falling below a threshold.

    Thresholded k-space division: Shmueli et al. 2009, Magn Reson Med 62:1510, doi:10.1002/mrm.22135;
    ``F chi = F b / D`` where ``|D| > threshold``, else ``sign(D) F b / threshold``, and zero where D is.

    Args:
        field: local field in ppm, ``(b, 1, x, y, z)``.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        mask: of the brain, ``(b, 1, x, y, z)``; the map is zero outside.
        threshold: of the kernel, whose values are from -2/3 to 1/3.
        padding: factor by which the grid grows by zeros.

    Returns:
        Susceptibility in ppm, of the shape of ``field``.

    Raises:
        ValueError: if ``threshold`` is not positive.
    """
    if not threshold > 0:
        raise ValueError(f"threshold must be positive, got {threshold}")
    shape = padded_shape(field.shape[-3:], padding)
    kernel = dipole_kernel(shape, voxel_size, b0_direction, dtype=field.dtype, device=field.device)
    held = torch.where(kernel.abs() > threshold, kernel, kernel.sign() * threshold)
    chi = filter_kspace(field, torch.where(held == 0, 0, 1 / held))
    return chi if mask is None else chi * mask

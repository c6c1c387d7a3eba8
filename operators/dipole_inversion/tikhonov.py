"""Dipole inversion by quadratic regularization, in closed form."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import dipole_kernel, filter_kspace, padded_shape
from ..gradient import gradient_power


def tikhonov(
    field: Tensor,
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    mask: Tensor | None = None,
    weight: float = 1e-2,
    regularizer: Literal["identity", "gradient"] = "identity",
    *,
    padding: float = 1.0,
) -> Tensor:
    """Minimize ``|D chi - b|^2 + weight |G chi|^2``, so that ``F chi = D F b / (D^2 + weight |G|^2)``.

    Bilgic et al. 2014, Magn Reson Med 72:1444, doi:10.1002/mrm.25029, has the closed form for the gradient; G = 1 is
    Tikhonov's. Zero frequency is zero.

    Args:
        field: local field in ppm, ``(b, 1, x, y, z)``.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        mask: of the brain, ``(b, 1, x, y, z)``; the map is zero outside.
        weight: of the regularizer; with the gradient, in mm^2.
        regularizer: ``"identity"``, or ``"gradient"`` for forward differences per mm.
        padding: factor by which the grid grows by zeros.

    Returns:
        Susceptibility in ppm, of the shape of ``field``.

    Raises:
        ValueError: if ``weight`` is not positive or ``regularizer`` unknown.
    """
    if not weight > 0 or regularizer not in ("identity", "gradient"):
        raise ValueError(
            f"weight must be positive and regularizer 'identity' or 'gradient', got {weight=}, {regularizer=}"
        )
    shape = padded_shape(field.shape[-3:], padding)
    kernel = dipole_kernel(shape, voxel_size, b0_direction, dtype=field.dtype, device=field.device)
    power: Tensor | float = 1.0
    if regularizer == "gradient":
        sizes = torch.as_tensor(voxel_size, dtype=field.dtype, device=field.device)
        power = gradient_power(shape, torch.atleast_2d(sizes))
    normal = kernel**2 + weight * power
    chi = filter_kspace(field, torch.where(normal == 0, 0, kernel / normal))
    return chi if mask is None else chi * mask

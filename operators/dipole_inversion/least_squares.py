"""Dipole inversion by least squares, stopped early."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..conjugate_gradient import conjugate_gradient
from ..dipole_convolution import DipoleConvolution
from ..linear_operator import Diagonal


def cgls(  # noqa: PLR0913 - the common arguments of all solvers and its own
    field: Tensor,
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    mask: Tensor | None = None,
    n_iterations: int = 10,
    *,
    data_weight: Tensor | None = None,
    damping: float = 0.0,
    tolerance: float = 1e-6,
    padding: float = 1.0,
) -> Tensor:
    """Minimize ``|W (D M chi - b)|^2 + damping |chi|^2`` by :func:`conjugate_gradient`.

    The map M chi is zero outside of the mask, so that the problem is smaller than that of k-space division. Small
    values of the dipole kernel come last, so that stopping early regularizes, as in iLSQR (Li et al. 2015, NeuroImage
    108:111, doi:10.1016/j.neuroimage.2014.12.043), of which the later corrections are not made here.

    Args:
        field: local field in ppm, ``(b, 1, x, y, z)``.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        mask: of the brain, ``(b, 1, x, y, z)``; the map is zero outside.
        n_iterations: at most; the more noise, the fewer are best.
        data_weight: W, ``(b, 1, x, y, z)``; the mask if it is None.
        damping: weight of the map's norm.
        tolerance: stop when every residual of the normal equations has fallen to this part of the first.
        padding: factor by which the grid grows by zeros.

    Returns:
        Susceptibility in ppm, of the shape of ``field``.

    Raises:
        ValueError: if ``damping`` is negative.
    """
    support = torch.ones_like(field) if mask is None else mask.to(field.dtype)
    weight = Diagonal(support if data_weight is None else data_weight)
    convolve = DipoleConvolution(
        field.shape[-3:], voxel_size, b0_direction, padding, dtype=field.dtype, device=field.device
    )
    operator = weight @ convolve @ Diagonal(support)
    return support * conjugate_gradient(operator, weight(field), n_iterations, damping=damping, tolerance=tolerance)

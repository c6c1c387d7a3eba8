"""Dipole inversion by least squares, stopped early."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import dipole_kernel, filter_kspace, padded_shape


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
    """Minimize ``|W (D M chi - b)|^2 + damping |chi|^2`` by conjugate gradients on the normal equations (CGLS).

    Hestenes and Stiefel 1952, J Res Natl Bur Stand 49:409, doi:10.6028/jres.049.044, section 10. The map M chi is zero
    outside of the mask, so that the problem is smaller than that of k-space division. Small values of the dipole kernel
    come last, so that stopping early regularizes, as in iLSQR (Li et al. 2015, NeuroImage 108:111,
    doi:10.1016/j.neuroimage.2014.12.043), of which the later corrections are not made here.

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
    if damping < 0:
        raise ValueError(f"damping must not be negative, got {damping}")
    shape = padded_shape(field.shape[-3:], padding)
    kernel = dipole_kernel(shape, voxel_size, b0_direction, dtype=field.dtype, device=field.device)
    support = torch.ones_like(field) if mask is None else mask.to(field.dtype)
    weight = support if data_weight is None else data_weight

    def forward(chi: Tensor) -> Tensor:
        return weight * filter_kspace(support * chi, kernel)

    def adjoint(residual: Tensor) -> Tensor:
        return support * filter_kspace(weight * residual, kernel)

    chi = torch.zeros_like(field)
    residual = weight * field
    direction = descent = adjoint(residual)
    power = first = _power(descent)
    for _ in range(n_iterations):
        if (power <= tolerance**2 * first).all():
            break
        modeled = forward(direction)
        step = _ratio(power, _power(modeled) + damping * _power(direction))
        chi = chi + step * direction
        residual = residual - step * modeled
        descent = adjoint(residual) - damping * chi
        previous, power = power, _power(descent)
        direction = descent + _ratio(power, previous) * direction
    return chi * support


def _power(x: Tensor) -> Tensor:
    return x.square().sum((1, 2, 3, 4), keepdim=True)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Divide, with 0 / 0 = 0: a field of zeros has a map of zeros."""
    return torch.where(whole == 0, 0, part / whole)

"""Dipole inversion by total variation."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import dipole_kernel, fast_shape, fill_up, padded_shape
from ..field_noise import estimate_field_noise
from ..gradient import gradient_power
from .noise_weighting import weight_for_noise
from .splitting import Problem, minimize
from .structure import edge_weights

SHRINKAGE = 0.004  # ppm, taken from the differences of voxels at each turn
FIELD_PENALTY = (
    0.05  # of a field that is not yet what it is split into; with 1 (FANSI) or 0.1, more turns; with 0.03, noise rings
)


def total_variation(  # noqa: PLR0913 - the common arguments of all solvers and its own
    field: Tensor,
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    mask: Tensor | None = None,
    weight: float | None = None,
    *,
    noise: Tensor | float | None = None,
    data_weight: Tensor | None = None,
    structure: Tensor | None = None,
    edge_share: float = 0.3,
    start: Tensor | None = None,
    rho: float | None = None,
    n_iterations: int = 250,
    tolerance: float = 0.02,
    padding: float = 1.0,
) -> Tensor:
    """Minimize ``1/2 |W (D chi - b)|^2 + weight |E gradient(chi)|_1`` by the alternating direction method (ADMM).

    Bilgic et al. 2014, Magn Reson Med 72:1444, doi:10.1002/mrm.25029, splits the gradient; with data weights the field
    is split off too, as in Milovic et al. 2018, Magn Reson Med 80:814, doi:10.1002/mrm.27073 (FANSI).

    Args:
        field: local field in ppm, ``(b, 1, x, y, z)``.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        mask: of the brain, ``(b, 1, x, y, z)``; the map is zero outside.
        weight: of the variation (ppm mm); None for :func:`weight_for_noise` of the field's noise.
        noise: standard deviation (ppm) of the field's noise, for a weight of None: a number, one of each item, or a map
            of the field's shape; None for :func:`estimate_field_noise`.
        data_weight: W, of the shape of the field, at most 1: the mask, or the magnitude, whose noise is even. The
            field outside of a mask, which is not zero, then does not count. None weights all voxels with 1.
        structure: an image of the field's shape, such as its magnitude, at whose edges E is 0, see
            :func:`edge_weights`; E is 1 if it is None.
        edge_share: of the structure's differences that are edges.
        start: a map of the field's shape to start from, such as that of another weight; only the way depends on it.
        rho: penalty of the differences in ADMM, on which only the way depends; in proportion to ``weight`` if None.
        n_iterations: at most.
        tolerance: stop when no map of the batch is farther from the minimizer than this, relative to its norm in the
            mask, as far as the steps, each a share of the one before, tell.
        padding: factor by which the grid grows. Without, a map meets its own periodic images, whose field may be 1 ppb
            where the mask has 8 voxels beside it; 1.25 takes away nearly all of that.

    Returns:
        Susceptibility in ppm, of the shape of ``field``.

    Raises:
        ValueError: if ``weight``, ``rho`` or ``n_iterations`` is not positive, and as :func:`weight_for_noise` and
            :func:`edge_weights` do.
    """
    _check(weight, rho, n_iterations)
    if weight is None:
        sigma = estimate_field_noise(field, mask, voxel_size, b0_direction) if noise is None else noise
        weights = weight_for_noise(sigma, voxel_size, mask).to(field)
    else:
        weights = torch.full((len(field),), weight, dtype=field.dtype, device=field.device)
    edges = None if structure is None else edge_weights(structure.to(field), voxel_size, mask, edge_share)
    problem = _problem(field, voxel_size, b0_direction, weights, data_weight, edges, rho, padding)
    shape = problem.field.shape[-3:]
    counted = fill_up(torch.ones_like(field) if mask is None else mask.to(field.dtype), shape)
    chi = minimize(problem, None if start is None else fill_up(start, shape), counted, n_iterations, tolerance)
    chi = chi[..., : field.shape[-3], : field.shape[-2], : field.shape[-1]]
    return chi if mask is None else chi * mask


def _check(weight: float | None, rho: float | None, n_iterations: int) -> None:
    if not all(value is None or value > 0 for value in (weight, rho, n_iterations)):
        raise ValueError(f"weight, rho and n_iterations must be positive, got {weight=}, {rho=}, {n_iterations=}")


def _problem(
    field: Tensor,
    voxel_size: Vector,
    b0_direction: Vector,
    weight: Tensor,
    data_weight: Tensor | None,
    edges: Tensor | None,
    rho: float | None,
    padding: float,
) -> Problem:
    shape = padded_shape(field.shape[-3:], padding)
    shape = shape if data_weight is None else fast_shape(shape)
    half = shape[-1] // 2 + 1
    sizes = torch.atleast_2d(torch.as_tensor(voxel_size, dtype=field.dtype, device=field.device))
    kernel = dipole_kernel(shape, sizes, b0_direction, dtype=field.dtype, device=field.device)
    step = SHRINKAGE / sizes.prod(1) ** (1 / 3)
    penalty = weight / step if rho is None else torch.full_like(weight, rho)
    scale = 1.0 if data_weight is None else FIELD_PENALTY
    return Problem(
        field=fill_up(field, shape),
        kernel=kernel[..., :half].contiguous(),
        power=gradient_power(shape, sizes)[..., :half].contiguous(),
        spacing=list(sizes.T[..., None, None, None, None]),
        weight=(weight / scale)[:, None, None, None, None],
        penalty=(penalty / scale)[:, None, None, None, None],
        data_weight=None if data_weight is None else fill_up(data_weight, shape) / scale**0.5,
        edges=None if edges is None else fill_up(edges, shape, 1.0),
    )

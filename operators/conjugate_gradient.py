"""Least squares with any linear operator."""

from __future__ import annotations

import torch
from torch import Tensor

from .linear_operator import LinearOperator


def conjugate_gradient(
    operator: LinearOperator, data: Tensor, n_iterations: int = 10, *, damping: float = 0.0, tolerance: float = 1e-6
) -> Tensor:
    """Minimize ``|A x - y|^2 + damping |x|^2`` by conjugate gradients on the normal equations (CGLS), from zero.

    Hestenes and Stiefel 1952, J Res Natl Bur Stand 49:409, doi:10.6028/jres.049.044, section 10. The residual is that
    of the data, not of ``A.H A x = A.H y``, which would lose half of the digits. Stopping early regularizes.

    Args:
        operator: A, which maps each item of the first axis by itself and keeps the number of axes.
        data: y, real or complex, ``(b, ...)``; its items are solved independently.
        n_iterations: at most.
        damping: weight of the solution's norm.
        tolerance: stop when every residual of the normal equations has fallen to this part of the first.

    Returns:
        x, ``(b, ...)``.

    Raises:
        ValueError: if ``damping`` is negative.
    """
    if damping < 0:
        raise ValueError(f"damping must not be negative, got {damping}")
    residual = data
    direction = descent = operator.adjoint(residual)
    solution = torch.zeros_like(descent)
    power = first = _power(descent)
    for _ in range(n_iterations):
        if (power <= tolerance**2 * first).all():
            break
        modeled = operator(direction)
        step = _ratio(power, _power(modeled) + damping * _power(direction))
        solution = solution + step * direction
        residual = residual - step * modeled
        descent = operator.adjoint(residual) - damping * solution
        previous, power = power, _power(descent)
        direction = descent + _ratio(power, previous) * direction
    return solution


def _power(x: Tensor) -> Tensor:
    return (x * x.conj()).real.sum(tuple(range(1, x.ndim)), keepdim=True)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Divide, with 0 / 0 = 0: data of zeros have a solution of zeros."""
    return torch.where(whole == 0, 0, part / whole)

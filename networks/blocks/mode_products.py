"""Products of a tensor with matrices along one of its axes, without moving the axis in memory.

The axis of a contiguous tensor ``(b, ..., n, ...)`` stays where it is: the axes before it and those after it are each
seen as one, and what is left are products of matrices that lie in memory as they are.
"""

from __future__ import annotations

from torch import Tensor


def mode_product(matrix: Tensor, x: Tensor, axis: int) -> Tensor:
    """Multiply every vector of ``x`` along an axis by a matrix (Kolda and Bader 2009, doi:10.1137/07070111X, sec. 2.5).

    Args:
        matrix: ``(n, n)``, or ``(b, n, n)`` with one for each item of the batch.
        x: contiguous, ``(b, ...)``, with ``n`` elements along ``axis``.
        axis: from 1 on.
    """
    if axis == x.ndim - 1:
        return (x.flatten(1, -2) @ matrix.mT).view_as(x)
    if axis == 1:
        return (matrix @ x.flatten(2)).view_as(x)
    slices = x.flatten(1, axis - 1).flatten(3)
    return (matrix.unsqueeze(-3) @ slices).view_as(x)


def mode_gram(x: Tensor, y: Tensor, axis: int) -> Tensor:
    """Sum the products of every slice of ``x`` across an axis with every slice of ``y``.

    Args:
        x: contiguous, ``(b, ...)``, with ``n`` elements along ``axis``.
        y: the same shape.
        axis: from 1 on.

    Returns:
        Shape ``(b, n, n)``: rows are slices of ``x``, columns slices of ``y``.
    """
    if axis == x.ndim - 1:
        return x.flatten(1, -2).mT @ y.flatten(1, -2)
    if axis == 1:
        return x.flatten(2) @ y.flatten(2).mT
    x, y = x.flatten(1, axis - 1).flatten(3), y.flatten(1, axis - 1).flatten(3)
    return (x @ y.mT).sum(1)

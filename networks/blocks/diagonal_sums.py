"""Sums along the diagonals of affinities: what several patches that cover the same voxels have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

Pair = tuple[int, int]


def diagonal_sum(weights: Tensor, axis: int, n: int, skip: Pair = (0, 0)) -> Tensor:
    """Add up ``n`` copies, each moved by one query and one key more along an axis than the last.

    Args:
        weights: ``(*queries, *keys)`` with as many axes of queries as of keys.
        axis: number of the axis of queries, and of that of keys.
        n: of the copies.
        skip: how many of the first queries and keys of the result are left out.

    Returns:
        the same shape, but longer by ``n - 1 - skip`` along both axes.
    """
    if n == 1:
        return weights
    axes, sizes = _axes(weights, axis), list(weights.shape)
    for place, some in zip(axes, skip, strict=True):
        sizes[place] += n - 1 - some
    moves = list(_moves([weights.shape[place] for place in axes], n, skip))
    if sizes == list(weights.shape) and moves[0][0] == moves[0][1]:  # one copy covers all of the result
        total = weights.clone()
        moves = moves[1:]
    else:
        total = weights.new_zeros(sizes)
    for inside, outside in moves:
        _part(total, axes, outside).add_(_part(weights, axes, inside))
    return total


def adjoint_diagonal_sum(gradient: Tensor, axis: int, n: int, skip: Pair = (0, 0)) -> Tensor:
    """Map the gradient of the result of :func:`diagonal_sum` to that of its ``weights``."""
    if n == 1:
        return gradient
    axes, sizes = _axes(gradient, axis), list(gradient.shape)
    for place, some in zip(axes, skip, strict=True):
        sizes[place] -= n - 1 - some
    total = gradient.new_zeros(sizes)
    for inside, outside in _moves([sizes[place] for place in axes], n, skip):
        _part(total, axes, inside).add_(_part(gradient, axes, outside))
    return total


def _axes(weights: Tensor, axis: int) -> Pair:
    return axis, axis + weights.ndim // 2


def _moves(lengths: Sequence[int], n: int, skip: Pair) -> Iterator[tuple[list[slice], list[slice]]]:
    """Yield what of the weights each copy adds, and where; last the copies that are moved least."""
    for step in reversed(range(n)):
        starts = [max(some - step, 0) for some in skip]
        ends = [max(step - some, 0) for some in skip]
        kept = [length - start for length, start in zip(lengths, starts, strict=True)]
        yield (
            [slice(start, start + m) for start, m in zip(starts, kept, strict=True)],
            [slice(end, end + m) for end, m in zip(ends, kept, strict=True)],
        )


def _part(weights: Tensor, axes: Pair, slices: Sequence[slice]) -> Tensor:
    for axis, some in zip(axes, slices, strict=True):
        weights = weights.narrow(axis, some.start, some.stop - some.start)
    return weights

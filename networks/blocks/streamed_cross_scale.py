"""Cross-scale attention in boxes of queries: memory that does not grow with queries times keys."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812

from .cross_scale_matching import Box, PatchGrid, patches

CHUNK_BYTES = 2**24  # of the affinities of one box


class StreamedCrossScale(torch.autograd.Function):
    """Sum up patches of values, weighted by affinities of which some are held at a time.

    The backward pass computes the affinities anew, so that training keeps queries, keys and values alone. It has no
    second derivative.

    A patch of values is a cell and parts of its neighbors (:class:`PatchGrid`). Block by block, what the queries of a
    box sum up is one matrix product whose results lie apart in the output, so that neither all patches of values nor
    those of the result are ever there at once, and adding them up has no conflicts.
    """

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, grid: PatchGrid) -> Tensor:
        """Map padded queries, rows of keys and padded values to the sum of patches before the crop."""
        ctx.save_for_backward(queries, keys, values)
        ctx.grid = grid
        dtype = torch.promote_types(values.dtype, torch.float32)
        sizes = [(n + len(grid.blocks) - 1) * grid.cell for n in grid.queries]
        result = values.new_zeros((*values.shape[:2], *sizes), dtype=dtype)
        with torch.autocast(values.device.type, enabled=False):
            for sample, box, key_box in _tasks(values, grid):
                weights = _weights(queries[sample], _select(keys[sample], grid, key_box), grid, box, key_box)
                weights = weights.to(values.dtype)
                for shift, block in grid.shifts():
                    rows = _to_rows(cells(values[sample], grid, key_box, shift, block))
                    target = cells(result[sample], grid, box, shift, block)
                    target += _to_cells(_weighted_sum(weights, rows, grid.matching.top_k), target)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return the gradients of padded queries, rows of keys and padded values."""
        (queries, keys, values), grid = ctx.saved_tensors, ctx.grid
        for_queries, for_keys = torch.zeros_like(queries, dtype=keys.dtype), torch.zeros_like(keys)
        for_values = torch.zeros_like(values, dtype=gradient.dtype)
        with torch.autocast(values.device.type, enabled=False):
            for sample, box, key_box in _tasks(values, grid):
                some_keys = _select(keys[sample], grid, key_box)
                weights = _weights(queries[sample], some_keys, grid, box, key_box)
                slopes = torch.zeros_like(weights)
                for shift, block in grid.shifts():
                    rows = _to_rows(cells(values[sample], grid, key_box, shift, block))
                    above = _to_rows(cells(gradient[sample], grid, box, shift, block)).to(values.dtype)
                    slopes += above @ rows.T
                    target = cells(for_values[sample], grid, key_box, shift, block)
                    target += _to_cells(weights.T.to(values.dtype) @ above, target)
                slopes = weights * (slopes - (slopes * weights).sum(-1, keepdim=True))
                rows = _query_rows(queries[sample], grid, box).to(keys.dtype)
                _add(for_keys[sample], slopes.T @ rows, grid, key_box)
                _add_patches(for_queries[sample], slopes @ some_keys, grid, box)
        return for_queries.to(queries.dtype), for_keys, for_values.to(values.dtype), None


def affinity(logits: Tensor, allowed: Tensor | None, top_k: int | None) -> Tensor:
    """Return the softmax of rows over the allowed logits, and over the ``top_k`` largest of a row alone.

    Shares whose products would be subnormal numbers, with which a CPU's arithmetic is slow, become zero.
    """
    if allowed is not None:
        logits = logits.masked_fill(~allowed.to(logits.device), -math.inf)
    if top_k is not None and top_k < logits.shape[-1]:
        largest, places = logits.topk(top_k)
        logits = torch.full_like(logits, -math.inf).scatter(-1, places, largest)
    smallest = torch.finfo(logits.dtype)
    weights = logits.softmax(-1)
    return F.threshold(weights, smallest.tiny / smallest.eps, 0.0, inplace=not weights.requires_grad)


def _tasks(values: Tensor, grid: PatchGrid) -> Any:
    """Samples, boxes of queries, and the boxes of keys that these reach."""
    largest = max(_reached(grid), values.shape[1] * grid.cell ** len(grid.size))
    n_queries = CHUNK_BYTES // (largest * max(4, values.element_size()))
    for sample, box in product(range(len(values)), grid.boxes(n_queries)):
        yield sample, box, grid.reachable_keys(box)


def _reached(grid: PatchGrid) -> int:
    """About how many keys a box of queries reaches."""
    window = grid.matching.window
    return math.prod(n if window is None else min(n, 4 * window) for n in grid.keys)


def _weights(queries: Tensor, keys: Tensor, grid: PatchGrid, box: Box, key_box: Box) -> Tensor:
    logits = _query_rows(queries, grid, box).to(keys.dtype) @ keys.T
    return affinity(logits, grid.within_window(box, key_box), grid.matching.top_k)


def _query_rows(queries: Tensor, grid: PatchGrid, box: Box) -> Tensor:
    return patches(queries[None], grid.matching.patch_size, grid.matching.stride, box)[0]


def _weighted_sum(weights: Tensor, rows: Tensor, top_k: int | None) -> Tensor:
    """``weights @ rows``, by the ``top_k`` rows of each sum alone where there are much fewer than all."""
    if top_k is None or 8 * top_k > len(rows):
        return weights @ rows
    shares, places = weights.topk(top_k)
    return F.embedding_bag(places, rows, per_sample_weights=shares, mode="sum")


def _select(keys: Tensor, grid: PatchGrid, box: Box) -> Tensor:
    return keys.unflatten(0, grid.keys)[box].flatten(0, -2)


def _add(keys: Tensor, rows: Tensor, grid: PatchGrid, box: Box) -> None:
    target = keys.unflatten(0, grid.keys)[box]
    target += rows.view(target.shape)


def _add_patches(queries: Tensor, rows: Tensor, grid: PatchGrid, box: Box) -> None:
    """Add patches ``(n, c * p^d)`` to the places they were taken from, one voxel of all patches at a time."""
    p, q = grid.matching.patch_size, grid.matching.stride
    n = [axis.stop - axis.start for axis in box]
    voxels = rows.view(*n, len(queries), p ** len(n)).unbind(-1)
    for offset, voxel in zip(product(range(p), repeat=len(n)), voxels, strict=True):
        steps = (slice(axis.start * q + o, (axis.stop - 1) * q + o + 1, q) for axis, o in zip(box, offset, strict=True))
        place = (slice(None), *steps)
        queries[place] += voxel.movedim(-1, 0)


def cells(features: Tensor, grid: PatchGrid, box: Box, shift: tuple[int, ...], block: tuple[int, ...]) -> Tensor:
    """View the same block of a box of patches: ``(c, n, l, n, l, ...)``, n patches and l voxels along each axis."""
    place: list[slice] = [slice(None)]
    for axis in reversed(range(1, features.ndim)):
        features = features.unflatten(axis, (-1, grid.cell))
    for some, step, length in zip(box, shift, block, strict=True):
        place += [slice(some.start + step, some.stop + step), slice(length)]
    return features[tuple(place)]


def _to_rows(cells: Tensor) -> Tensor:
    """``(c, n, l, n, l, ...)`` to ``(n * n * ..., c * l * l * ...)``."""
    n_axes = cells.ndim // 2
    order = [*range(1, cells.ndim, 2), 0, *range(2, cells.ndim, 2)]
    return cells.permute(order).flatten(n_axes).flatten(0, n_axes - 1)


def _to_cells(rows: Tensor, like: Tensor) -> Tensor:
    """The inverse of :func:`_to_rows`."""
    shape = like.shape
    order = [0] * like.ndim
    for place, axis in enumerate([*range(1, like.ndim, 2), 0, *range(2, like.ndim, 2)]):
        order[axis] = place
    return rows.view(*shape[1::2], shape[0], *shape[2::2]).permute(order)

"""Cross-scale attention of given queries, keys and values, with all affinities held or streamed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from .cross_scale_matching import CrossScaleMatching, PatchGrid, patches
from .streamed_cross_scale import StreamedCrossScale, affinity, cells, shifted

LITERAL_LIMIT = 2**15  # affinities of an image up to which holding them all is not slower: 16^3 at scale 2


def cross_scale_attention(queries: Tensor, keys: Tensor, values: Tensor, matching: CrossScaleMatching) -> Tensor:
    """Replace each patch of queries by the larger patches of values whose coarse copy is like it.

    Zhang et al., "3D Cross-Scale Feature Transformer Network for Brain MR Image Super-Resolution", ICASSP 2022, Eqs. 6
    to 8. With patches q_i of the queries, k_j of the coarse keys, and v_j of the values at the place of k_j, which are
    ``scale`` times as large::

        s_ij = <q_i, k_j>                       Eq. 6
        w_ij = exp(s_ij) / sum_j exp(s_ij)      Eq. 7
        y_i  = sum_j w_ij v_j                   Eq. 8, where the paper names the left side y_j

    The y_i are added up at ``scale`` times the place of q_i, and divided by ``matching.overlap``, which the paper
    leaves open. Patch i of stride q and edge p begins at ``i q - p // 2``, that of values and result at ``scale`` times
    that.

    Args:
        queries: ``(b, c, *spatial)``.
        keys: of the coarse copy, ``(b, c, *coarse)``, coarse sizes being those of ``queries`` divided by
            ``matching.scale``, rounded down.
        values: ``(b, v, *spatial)``.
        matching: the options.

    Returns:
        ``(b, v, *(scale * spatial))``, in the dtype of ``values``.

    Raises:
        ValueError: if the size of ``keys`` or ``values`` does not fit that of ``queries``.
    """
    grid = _checked_grid(queries, keys, values, matching)
    rows = key_rows(keys, grid)
    dtype = values.dtype
    queries, values = grid.pad_queries(queries), grid.pad_values(values)  # the unpadded ones may be freed
    if torch.compiler.is_exporting():
        result = block_sums(queries, rows, values, grid)
    elif _is_literal(grid):
        result = _literal(queries, rows, values, grid)
    else:
        result = StreamedCrossScale.apply(queries, rows, values, grid)
    if matching.overlap == "count":
        for axis in range(len(grid.size)):
            counts = grid.overlaps(axis).to(result)[: result.shape[2 + axis]]
            result.div_(counts.view(-1, *[1] * (len(grid.size) - 1 - axis)))
    elif matching.overlap != "none":
        result.div_(matching.overlap)
    return grid.crop(result).to(dtype)


def cross_scale_affinity(queries: Tensor, keys: Tensor, matching: CrossScaleMatching) -> Tensor:
    """Return the w_ij of :func:`cross_scale_attention`, ``(b, n_queries, n_keys)``, in at least float32."""
    grid = _checked_grid(queries, keys, None, matching)
    return _affinity(grid.pad_queries(queries), key_rows(keys, grid), grid)


def key_rows(keys: Tensor, grid: PatchGrid) -> Tensor:
    """Return the patches of keys times the logits' factor, ``(b, n_keys, c * p^d)``, in at least float32."""
    matching, dtype = grid.matching, torch.promote_types(keys.dtype, torch.float32)
    rows = patches(grid.pad_queries(keys.to(dtype)), matching.patch_size, matching.stride)
    if matching.normalize_keys:
        rows = rows / rows.norm(dim=-1, keepdim=True).clamp(min=1e-4)
    return rows * matching.logit_scale


def _literal(queries: Tensor, keys: Tensor, values: Tensor, grid: PatchGrid) -> Tensor:
    """The sum of patches as the paper has it: a transposed convolution of the affinities by the patches of values."""
    matching = grid.matching
    weights = _affinity(queries, keys, grid).to(values.dtype).mT.unflatten(2, grid.queries)
    length = matching.scale * matching.patch_size
    kernels = patches(values, length, grid.cell, tuple(slice(n) for n in grid.keys))
    kernels = kernels.unflatten(2, (values.shape[1], *[length] * len(grid.size)))
    convolve = F.conv_transpose2d if len(grid.size) == 2 else F.conv_transpose3d
    samples = zip(weights.split(1), kernels, strict=True)
    return torch.cat([convolve(weight, kernel, stride=grid.cell) for weight, kernel in samples])


def block_sums(queries: Tensor, keys: Tensor, values: Tensor, grid: PatchGrid) -> Tensor:
    """The same as products for a whole batch, block by block, as other runtimes want it: no loop over samples."""
    weights = _affinity(queries, keys, grid).to(values.dtype)
    n_axes = len(grid.size)
    apart = [*range(2, 2 + 2 * n_axes, 2), 1, *range(3, 3 + 2 * n_axes, 2)]  # patches, then channels and voxels
    inverse = [1 + apart.index(axis) for axis in range(1, 2 + 2 * n_axes)]
    everything = tuple(slice(0, n) for n in grid.keys)
    total = values.new_zeros(())
    for shift, block in grid.shifts():
        found = cells(values.flatten(0, 1), grid, shifted(everything, shift, block)).unflatten(0, values.shape[:2])
        rows = found.permute(0, *apart).flatten(1 + n_axes).flatten(1, n_axes)
        summed = (weights @ rows).unflatten(2, (values.shape[1], *block)).unflatten(1, grid.queries)
        summed = summed.permute(0, *inverse)
        for axis, (step, length) in enumerate(zip(shift, block, strict=True)):
            summed = _pad_axis(summed, 3 + axis, 0, grid.cell - length).flatten(2 + axis, 3 + axis)
            summed = _pad_axis(summed, 2 + axis, step * grid.cell, (len(grid.blocks) - 1 - step) * grid.cell)
        total = total + summed
    return total


def _pad_axis(x: Tensor, axis: int, low: int, high: int) -> Tensor:
    return F.pad(x, [0, 0] * (x.ndim - 1 - axis) + [low, high])


def _affinity(queries: Tensor, keys: Tensor, grid: PatchGrid) -> Tensor:
    matching = grid.matching
    rows = patches(queries.to(keys.dtype), matching.patch_size, matching.stride)
    with torch.autocast(keys.device.type, enabled=False):
        logits = rows @ keys.mT
    everything = tuple(slice(0, n) for n in grid.queries)
    allowed = grid.within_window(everything, tuple(slice(0, n) for n in grid.keys))
    return affinity(logits, allowed, matching.top_k)


def _is_literal(grid: PatchGrid) -> bool:
    path = grid.matching.path
    return path == "literal" or (path == "auto" and grid.n_affinities <= LITERAL_LIMIT)


def _checked_grid(queries: Tensor, keys: Tensor, values: Tensor | None, matching: CrossScaleMatching) -> PatchGrid:
    size = tuple(queries.shape[2:])
    coarse = tuple(max(1, n // matching.scale) for n in size)
    if tuple(keys.shape[2:]) != coarse:
        raise ValueError(f"queries of size {size} need keys of size {coarse}, got {tuple(keys.shape[2:])}")
    if values is not None and tuple(values.shape[2:]) != size:
        raise ValueError(f"queries of size {size} need values of that size, got {tuple(values.shape[2:])}")
    return matching.grid(size)

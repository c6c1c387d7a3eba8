"""Cross-scale attention in TorchScript: the literal sum of patches, by functions of plain numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def scripted_cross_scale(  # noqa: PLR0913 (TorchScript has no classes of options)
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    scale: int,
    patch_size: int,
    stride: int,
    overlap: float,
    padding: str,
    logit_scale: float,
    normalize_keys: bool,
) -> Tensor:
    """Do what :func:`.cross_scale_attention` does, with all affinities of an image held, and no window or ``top_k``.

    Args:
        queries: ``(b, c, *spatial)``.
        keys: of the coarse copy, ``(b, c, *coarse)``.
        values: ``(b, v, *spatial)``.
        scale: see :class:`.CrossScaleMatching`, as all that follow.
        patch_size: edge of the patches.
        stride: distance of patches.
        overlap: what the sum of overlapping patches is divided by; 0 for their number.
        padding: a mode of :func:`torch.nn.functional.pad`.
        logit_scale: factor of the logits.
        normalize_keys: divide each patch of keys by its norm.
    """
    n_axes, low, length = queries.ndim - 2, patch_size // 2, scale * patch_size
    n_queries, n_keys, n_padded = [_count(n, stride) for n in queries.shape[2:]], [0] * n_axes, [0] * n_axes
    for axis in range(n_axes):
        n_keys[axis] = _count(keys.shape[2 + axis], stride)
        n_padded[axis] = (n_keys[axis] - 1) * scale * stride + length
    dtype = torch.promote_types(keys.dtype, torch.float32)
    key_rows = _patches(_pad_patches(keys.to(dtype), patch_size, stride, padding), patch_size, stride)
    if normalize_keys:
        key_rows = key_rows / torch.linalg.vector_norm(key_rows, dim=-1, keepdim=True).clamp(min=1e-4)
    query_rows = _patches(_pad_patches(queries.to(dtype), patch_size, stride, padding), patch_size, stride)
    weights = (query_rows @ (key_rows * logit_scale).transpose(1, 2)).softmax(-1).to(values.dtype)
    kernels = _patches(_pad(values, scale * low, n_padded, padding), length, scale * stride)
    sums: list[Tensor] = []
    for sample in range(values.shape[0]):
        weight = weights[sample].t().reshape([1, -1] + n_queries)  # noqa: RUF005 (TorchScript)
        kernel = kernels[sample].reshape([-1, values.shape[1]] + [length] * n_axes)
        if n_axes == 2:
            sums.append(F.conv_transpose2d(weight, kernel, stride=scale * stride))
        else:
            sums.append(F.conv_transpose3d(weight, kernel, stride=scale * stride))
    result = torch.cat(sums)
    for axis in range(n_axes):
        if overlap == 0:
            result = result / _overlaps(result.shape[2 + axis], n_queries[axis], length, scale * stride, axis, result)
        result = result.narrow(2 + axis, scale * low, scale * queries.shape[2 + axis])
    return result if overlap == 0 else result / overlap


def _count(n: int, stride: int) -> int:
    return (n + stride - 1) // stride


def _patches(padded: Tensor, size: int, stride: int) -> Tensor:
    """Return the patches of ``(b, c, *spatial)`` as rows ``(b, n, c * size^d)``."""
    n_axes = padded.ndim - 2
    for axis in range(2, 2 + n_axes):
        padded = padded.unfold(axis, size, stride)
    return padded.movedim(1, 1 + n_axes).flatten(1 + n_axes).flatten(1, n_axes)


def _pad_patches(features: Tensor, patch_size: int, stride: int, padding: str) -> Tensor:
    """Pad so that all patches of queries, or of keys, are there."""
    lengths = [(_count(n, stride) - 1) * stride + patch_size for n in features.shape[2:]]
    return _pad(features, patch_size // 2, lengths, padding)


def _pad(features: Tensor, low: int, lengths: list[int], padding: str) -> Tensor:
    """Start ``low`` voxels before the features and take ``lengths``, which may end before the features do."""
    pads: list[int] = []
    for axis in range(len(lengths)):
        kept = min(features.shape[2 + axis], lengths[axis] - low)
        features = features.narrow(2 + axis, 0, kept)
        pads = [low, lengths[axis] - low - kept] + pads  # noqa: RUF005 (TorchScript)
    return F.pad(features, pads, padding)


def _overlaps(n_voxels: int, n_patches: int, length: int, cell: int, axis: int, like: Tensor) -> Tensor:
    """Count the patches at each voxel along an axis, in a shape that broadcasts to ``like``."""
    place = torch.arange(n_voxels, device=like.device)
    first = (place - length).div(cell, rounding_mode="floor") + 1
    last = place.div(cell, rounding_mode="floor")
    shape = [1] * like.ndim
    shape[2 + axis] = n_voxels
    return (last.clamp(max=n_patches - 1) - first.clamp(min=0) + 1).clamp(min=1).to(like.dtype).view(shape)

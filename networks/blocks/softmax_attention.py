"""Softmax attention between two sets of elements, without holding their affinities."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def softmax_attention(queries: Tensor, keys: Tensor, values: Tensor, scale: float = 1.0) -> Tensor:
    """Return ``softmax_rows(scale * queries keys^T) values`` in memory that is linear in the number of elements.

    It runs on torch's fused kernels, whose softmax is in float32 for half precision too. Those want a head axis,
    contiguous inputs and, on CPUs, queries, keys and values of one width: otherwise torch falls back in silence
    to a kernel with quadratic memory. Zeros fill up the narrower ones, which changes no product.

    Args:
        queries: elements that attend, ``(b, n, c)``.
        keys: elements that are attended to, ``(b, m, c)``.
        values: what these contribute, ``(b, m, v)``.
        scale: factor of the logits.

    Returns:
        Mixed values, ``(b, n, v)``.
    """
    width = max(queries.shape[2], values.shape[2], 2)  # of width 1, any strides pass for contiguous
    query, key, value = (_one_head(elements, width) for elements in (queries, keys, values))
    attended = F.scaled_dot_product_attention(query, key, value, scale=scale)
    return attended.squeeze(1)[..., : values.shape[2]]


def softmax_affinity(queries: Tensor, keys: Tensor, scale: float = 1.0) -> Tensor:
    """Return ``softmax_rows(scale * queries keys^T)``, ``(b, n, m)``, in at least float32.

    Logits sum many products and grow large, so half precision is left here.

    Args:
        queries: elements that attend, ``(b, n, c)``.
        keys: elements that are attended to, ``(b, m, c)``.
        scale: factor of the logits.
    """
    dtype = torch.promote_types(queries.dtype, torch.float32)
    if torch.jit.is_scripting():
        return _affinity(queries.to(dtype), keys.to(dtype), scale)
    else:  # noqa: RET505 (TorchScript leaves this out)
        with torch.autocast(queries.device.type, enabled=False):
            return _affinity(queries.to(dtype), keys.to(dtype), scale)


def _affinity(queries: Tensor, keys: Tensor, scale: float) -> Tensor:
    return (scale * (queries @ keys.transpose(1, 2))).softmax(-1)


def logit_scale(scale: str | None, width: int) -> float:
    """Return the factor of logits that sum ``width`` products: 1 for ``None``, 1 / sqrt(width) for ``"sqrt"``.

    Raises:
        ValueError: if ``scale`` is another.
    """
    if scale not in (None, "sqrt"):
        raise ValueError(f'scale must be None or "sqrt", got {scale!r}')
    return 1.0 if scale is None else width**-0.5


def _one_head(elements: Tensor, width: int) -> Tensor:
    missing = width - elements.shape[2]
    return (F.pad(elements, (0, missing)) if missing else elements).contiguous().unsqueeze(1)

"""How far two outputs of what should be the same are apart."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def largest_difference(found: Tensor, expected: Tensor) -> float:
    """Return the largest difference, relative to the largest value of ``expected``; NaN if any value is."""
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-12))


def require_close(found: Tensor, expected: Tensor, tolerance: float, what: str) -> float:
    """Return the :func:`largest_difference` of ``what``.

    Raises:
        RuntimeError: if it exceeds ``tolerance``, or is not a number.
    """
    difference = largest_difference(found, expected)
    if not difference <= tolerance:
        raise RuntimeError(f"{what} differ by {difference:.1e} of the largest value")
    return difference

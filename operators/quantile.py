"""Quantiles of more values than torch takes."""

from __future__ import annotations

from torch import Tensor


def quantile(values: Tensor, share: float) -> Tensor:
    """Return the value below which a share of all is, by its rank: ``torch.quantile`` takes no more than 16 million.

    Args:
        values: at least one, of any shape.
        share: from 0 to 1.
    """
    n_values = values.numel()
    return values.flatten().kthvalue(min(max(1, round(share * n_values)), n_values)).values

"""Where a susceptibility map may have edges, as its magnitude image has them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from .finite_differences import gradient


def edge_mask(
    magnitude: Tensor,
    voxel_size: Vector = (1.0, 1.0, 1.0),
    mask: Tensor | None = None,
    edge_fraction: float = 0.3,
) -> Tensor:
    """Mark the differences of a magnitude image that are not among its largest.

    After MEDI's morphological prior, Liu et al. 2012, NeuroImage 59:2560, doi:10.1016/j.neuroimage.2011.08.082: where
    the magnitude has an edge, an edge of the map costs nothing. Each axis has its own edges; one threshold serves all.

    Args:
        magnitude: ``(b, 1, x, y, z)``.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        mask: of the brain, ``(b, 1, x, y, z)``; only differences inside count, and those that cross its border are
            not edges.
        edge_fraction: share of the differences inside that become edges.

    Returns:
        ``(b, 3, x, y, z)``, 0 at edges and 1 elsewhere.

    Raises:
        ValueError: if ``edge_fraction`` is not between 0 and 1.
    """
    if not 0 <= edge_fraction < 1:
        raise ValueError(f"edge_fraction must be at least 0 and less than 1, got {edge_fraction}")
    sizes = torch.atleast_2d(torch.as_tensor(voxel_size, dtype=magnitude.dtype, device=magnitude.device))
    inside = torch.ones_like(magnitude) if mask is None else (mask != 0).to(magnitude.dtype)
    both_inside = torch.cat([inside * inside.roll(-1, axis) for axis in (-3, -2, -1)], 1)
    steepness = gradient(magnitude, sizes).abs() * both_inside
    return torch.stack([_below_largest(s, n, edge_fraction) for s, n in zip(steepness, both_inside, strict=True)])


def _below_largest(steepness: Tensor, inside: Tensor, fraction: float) -> Tensor:
    n_edges = round(fraction * float(inside.sum()))
    if n_edges == 0:
        return torch.ones_like(steepness)
    # Not a quantile, of which torch allows 16 million values only.
    threshold = steepness.flatten().kthvalue(steepness.numel() - n_edges).values
    return (steepness <= threshold).to(steepness.dtype)

"""Where a map may jump for free: at the edges of another image of the same head."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..gradient import volume_gradient
from ..quantile import quantile


def edge_weights(structure: Tensor, voxel_size: Vector, mask: Tensor | None = None, share: float = 0.3) -> Tensor:
    """Return 0 for the strongest differences of an image along each axis, and 1 for the others.

    Morphology enabled dipole inversion (MEDI): Liu et al. 2012, NeuroImage 59:2560,
    doi:10.1016/j.neuroimage.2011.08.082, equation 5, in which 30 % of the voxels of a magnitude are edges. Here it is
    that share of all differences within the mask.

    Args:
        structure: magnitude, or T1w on the same grid, in any unit, ``(b, 1, x, y, z)``.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        mask: of the same shape; everywhere if it is None.
        share: of the differences that are edges.

    Returns:
        ``(3, b, 1, x, y, z)``, for the differences of :func:`volume_gradient`.

    Raises:
        ValueError: if ``share`` is not between 0 and 1, or the image is the same everywhere.
    """
    if not 0 < share < 1:
        raise ValueError(f"share of edges must be between 0 and 1, got {share}")
    sizes = torch.atleast_2d(torch.as_tensor(voxel_size, dtype=structure.dtype, device=structure.device))
    strengths = volume_gradient(sizes)(structure).abs()
    if not strengths.flatten(2).any(2).any(0).all():
        raise ValueError("structure is the same everywhere, and has no edges")
    inside = torch.ones_like(structure, dtype=torch.bool) if mask is None else mask > 0
    limits = [
        quantile(item[:, within], 1 - share) for item, within in zip(strengths.transpose(0, 1), inside, strict=True)
    ]
    weak = strengths <= torch.stack(limits)[:, None, None, None, None]
    return weak.to(structure.dtype)

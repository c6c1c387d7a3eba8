"""Affines of coarser and finer grids."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.utils import ensure_tuple_rep
from torch import Tensor


def first_voxel_affine(affine: Tensor, factor: float | Sequence[float]) -> Tensor:
    """Return the affine of a grid with voxels ``factor`` times as large and the same center of the first voxel.

    With 2 it leads from the fine to the coarse grid, with 1/2 back.

    Args:
        affine: ``(d + 1, d + 1)``.
        factor: for all or for each of the d axes.
    """
    factors = affine.new_tensor(ensure_tuple_rep(factor, len(affine) - 1))
    return affine @ torch.diag(torch.cat([factors, factors.new_ones(1)]))


def scaled_affine(affine: Tensor, scale: float | Sequence[float]) -> Tensor:
    """Return the affine of a grid with voxels ``scale`` times as large and the same outer edge at its first voxels.

    With 2 it leads from the fine to the coarse grid, with 1/2 back.

    Args:
        affine: ``(d + 1, d + 1)``.
        scale: for all or for each of the d axes.
    """
    factors = affine.new_tensor(ensure_tuple_rep(scale, len(affine) - 1))
    step = torch.diag(torch.cat([factors, factors.new_ones(1)]))
    step[:-1, -1] = (factors - 1) / 2
    return affine @ step

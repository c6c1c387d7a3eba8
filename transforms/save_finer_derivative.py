"""Results on a finer grid than that of the image they came from, as BIDS derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from monai.data import MetaTensor
from monai.utils import ensure_tuple_rep
from numpy.typing import NDArray
from torch import Tensor

from ..operators.grids import scaled_affine
from .save_derivative import SaveDerivatived


class SaveFinerDerivatived(SaveDerivatived):
    """Write results ``(1, x, y, z)`` with ``scale`` times the voxels of the source, outer voxel edges kept.

    Files are named, and codes of the header kept, as by :class:`SaveDerivatived`. The affine of the source is that of
    the image in memory, which a degradation may have made coarser than its file's.

    Args:
        scale: how many voxels one of the source becomes, for all or for each axis.
        options: arguments of :class:`SaveDerivatived`.

    Raises:
        ValueError: if a result has not ``scale`` times the voxels of the source, and as the base does.
        InputError: as the base does.
    """

    def __init__(self, *args: Any, scale: int | Sequence[int] = 2, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scale = scale

    def _affine(self, result: Tensor, source: MetaTensor) -> NDArray[np.float64]:
        scale = ensure_tuple_rep(self.scale, source.ndim - 1)
        expected = tuple(n * factor for n, factor in zip(source.shape[1:], scale, strict=True))
        if tuple(result.shape[1:]) != expected:
            name = source.meta["filename_or_obj"]
            raise ValueError(f"result of {name} has shape {tuple(result.shape[1:])}, not {expected}")
        affine: NDArray[np.float64] = scaled_affine(source.affine, [1 / factor for factor in scale]).cpu().numpy()
        return affine

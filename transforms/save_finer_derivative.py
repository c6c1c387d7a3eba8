"""Results on a finer grid than that of the image they came from, as BIDS derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai.data import MetaTensor
from monai.utils import ensure_tuple_rep
from torch import Tensor

from ..datasets.input_error import InputError
from ..datasets.volumes import header_of, write_volume
from ..operators.grids import scaled_affine
from .save_derivative import SaveDerivatived, derivative_path


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

    def _write(self, result: Tensor, source: MetaTensor, suffix: str, dtype: str) -> Path:
        name = str(source.meta["filename_or_obj"])
        path = derivative_path(self.output_dir, name, suffix)
        if self.sources.setdefault(path, name) != name:
            raise InputError.at(path, f"result of {self.sources[path]} and of {name}", "rename one of them")
        scale = ensure_tuple_rep(self.scale, source.ndim - 1)
        expected = tuple(n * factor for n, factor in zip(source.shape[1:], scale, strict=True))
        if tuple(result.shape[1:]) != expected:
            raise ValueError(f"result of {name} has shape {tuple(result.shape[1:])}, not {expected}")
        affine = scaled_affine(source.affine, [1 / factor for factor in scale]).cpu().numpy()
        array = result.as_subclass(Tensor).detach().cpu()
        inputs = str(source.meta.get("sources", name)).split("\n")
        return write_volume(path, array, affine, header=header_of(source), dtype=dtype, sources=inputs)

"""Results as BIDS derivatives on the grid of the image they came from."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import ensure_tuple_rep
from numpy.typing import NDArray
from torch import Tensor

from ..datasets.file_names import stem_of
from ..datasets.input_error import InputError
from ..datasets.volumes import header_of, write_volume
from .volume_grids import GRID_TOLERANCE

BIDS_NAME = re.compile(r"(?P<stem>(?P<subject>sub-[^_]+)(_(?P<session>ses-[^_]+))?(_[^_]+-[^_]+)*)_[^_-]+")


class SaveDerivatived(MapTransform):
    """Write results ``(1, x, y, z)`` beside each other, on the exact grid of the source's file.

    ``sub-01_ses-1_FLAIR.nii.gz`` gives ``<output_dir>/sub-01/ses-1/anat/sub-01_ses-1_<suffix>.nii.gz``; other
    names give ``<output_dir>/<stem>_<suffix>.nii.gz``. Data pass unchanged, and the paths written are added
    at ``<key>_path``.

    Args:
        keys: of the results.
        output_dir: folder of the derivative.
        suffixes: one for each key, such as ``"label-lesion_mask"``.
        dtypes: of the files, one for all or one for each key.
        source_key: of the image loaded by :class:`LoadContrastsd`.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: if there is not one suffix per key, or a result is not on the source's grid.
        InputError: if the folder cannot be written, a source file would be overwritten, or two sources
            would give the same file.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: Path | str,
        suffixes: Sequence[str] | str,
        dtypes: Sequence[str] | str = "float32",
        source_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        suffixes = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)
        if len(suffixes) != len(self.keys):
            raise ValueError(f"there must be one suffix per key, got {suffixes=}, keys={self.keys}")
        self.output_dir = Path(output_dir)
        self.suffixes = suffixes
        self.dtypes = ensure_tuple_rep(dtypes, len(self.keys))
        self.source_key = source_key
        self.sources: dict[Path, str] = {}

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the result at every key."""
        out = dict(data)
        source = out[self.source_key]
        for key, suffix, dtype in self.key_iterator(out, self.suffixes, self.dtypes):
            out[f"{key}_path"] = str(self._write(out[key], source, suffix, dtype))
        return out

    def _write(self, result: MetaTensor, source: MetaTensor, suffix: str, dtype: str) -> Path:
        name = str(source.meta["filename_or_obj"])
        path = derivative_path(self.output_dir, name, suffix)
        if self.sources.setdefault(path, name) != name:
            raise InputError.at(path, f"result of {self.sources[path]} and of {name}", "rename one of them")
        affine = self._affine(result, source)
        inputs = str(source.meta.get("sources", name)).split("\n")
        array = result.as_subclass(Tensor).detach().cpu()
        return write_volume(path, array, affine, header=header_of(source), dtype=dtype, sources=inputs)

    def _affine(self, result: MetaTensor, source: MetaTensor) -> NDArray[np.float64]:
        """Return the affine of the file to write; the result has to be on its grid."""
        header = header_of(source)
        affine: NDArray[np.float64] = header.get_best_affine()
        grids = tuple(result.shape[1:]), tuple(header.get_data_shape())
        if grids[0] != grids[1] or not np.allclose(result.affine, affine, rtol=0, atol=GRID_TOLERANCE):
            name = source.meta["filename_or_obj"]
            raise ValueError(f"result is not on the grid of {name}: shapes {grids}, {result.affine=}, {affine=}")
        return affine


def derivative_path(output_dir: Path, source: Path | str, suffix: str) -> Path:
    """Name the file of a result with ``suffix`` made from the image ``source``."""
    stem = stem_of(source)
    match = BIDS_NAME.fullmatch(stem)
    if match is None:
        return output_dir / f"{stem}_{suffix}.nii.gz"
    folder = output_dir / match["subject"] / (match["session"] or "") / "anat"
    return folder / f"{match['stem']}_{suffix}.nii.gz"

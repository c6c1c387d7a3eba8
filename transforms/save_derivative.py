"""Results as BIDS derivatives on the grid of the image they came from."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
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
from ..datasets.phase_cases import name_without_echo
from ..datasets.sidecars import sidecar_of
from ..datasets.volumes import header_of, write_volume
from ..datasets.writing import already_there, replacing
from .alignment import ALIGNMENT
from .images_in_memory import FILE, PLACE
from .intensity_faults import BACKGROUND
from .volume_grids import GRID_TOLERANCE

logger = logging.getLogger(__name__)

BIDS_NAME = re.compile(r"(?P<stem>(?P<subject>sub-[^_]+)(_(?P<session>ses-[^_]+))?(_[^_]+-[^_]+)*)_[^_-]+")


class SaveDerivatived(MapTransform):
    """Write results ``(1, x, y, z)`` beside each other, on the exact grid of the source's file.

    ``sub-01_ses-1_FLAIR.nii.gz`` gives ``<output_dir>/sub-01/ses-1/anat/sub-01_ses-1_<suffix>.nii.gz`` (and so does
    phase, without its echo and part); other names give ``<output_dir>/<stem>_<suffix>.nii.gz``. Where a case has a
    ``result_prefix``, as those of a datalist whose files have the same names, it comes before that. Data pass
    unchanged, and the paths written are added at ``<key>_path``. How the contrasts of the source lay to each other,
    where that was measured (``alignment`` in its ``meta``), is the field ``Alignment`` of a JSON file beside each
    result.

    Args:
        keys: of the results.
        output_dir: folder of the derivative.
        suffixes: one for each key, such as ``"label-lesion_mask"``.
        dtypes: of the files, one for all or one for each key.
        source_key: of the image loaded by :class:`LoadContrastsd`.
        allow_missing_keys: skip keys that are not there.
        overwrite: replace files that are there already.
        add_background: results are in the intensities of the source; add the background that was subtracted from it,
            see :func:`repair_intensities`.

    Raises:
        ValueError: if there is not one suffix per key, or a result is not on the source's grid.
        InputError: if the folder cannot be written, a file is there already or would be that of a source, two cases
            would give the same file, or a result is not finite.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: Path | str,
        suffixes: Sequence[str] | str,
        dtypes: Sequence[str] | str = "float32",
        source_key: str = "image",
        allow_missing_keys: bool = False,
        overwrite: bool = False,
        add_background: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        suffixes = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)
        if len(suffixes) != len(self.keys):
            raise ValueError(f"there must be one suffix per key, got {suffixes=}, keys={self.keys}")
        self.output_dir = Path(output_dir)
        self.suffixes = suffixes
        self.dtypes = ensure_tuple_rep(dtypes, len(self.keys))
        self.source_key = source_key
        self.overwrite = overwrite
        self.add_background = add_background
        self.sources: dict[Path, str] = {}

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the result at every key."""
        out = dict(data)
        source = out[self.source_key]
        if FILE not in source.meta:
            logger.warning("%s: results are handed over and not written, as there is no file to name them after", PLACE)
            return out
        prefix = str(out.get("result_prefix", ""))
        for key, suffix, dtype in self.key_iterator(out, self.suffixes, self.dtypes):
            path = derivative_path(self.output_dir, source.meta["filename_or_obj"], suffix, prefix)
            out[f"{key}_path"] = str(self._write(path, out[key], source, dtype))
        return out

    def paths_for(self, images: Iterable[Path | str], output_dir: Path, prefix: str = "") -> list[Path]:
        """Name what may be written into another ``output_dir`` for a case of these images, whichever gives the grid."""
        return [derivative_path(output_dir, image, suffix, prefix) for image in images for suffix in self.suffixes]

    def _write(self, path: Path, result: MetaTensor, source: MetaTensor, dtype: str) -> Path:
        inputs = str(source.meta.get("sources", source.meta["filename_or_obj"])).split("\n")
        alignment = source.meta.get(ALIGNMENT)
        if path.resolve() not in {Path(file).resolve() for file in inputs}:  # which writing refuses in other words
            for file in [path, sidecar_of(path)] if alignment else [path]:
                self._claim(file, " and ".join(inputs))
        affine = self._affine(result, source)
        array = result.as_subclass(Tensor).detach().cpu()
        if n_bad := int((~array.isfinite()).sum()):
            problem = f"{n_bad} of the {array.numel()} values that the network made of it are NaN or Inf"
            remedy = "give weights of a training that did not diverge, and an image of usual intensities"
            raise InputError.at(" and ".join(inputs), problem, remedy)
        if self.add_background:
            array = array + source.meta.get(BACKGROUND, 0.0)
        written = write_volume(path, array, affine, header=header_of(source), dtype=dtype, sources=inputs)
        if alignment:
            _write_alignment(sidecar_of(path), alignment)
        return written

    def _claim(self, path: Path, sources: str) -> None:
        """Refuse to write what another case gave, or what was there before."""
        if path not in self.sources and not self.overwrite and path.exists():
            raise already_there(path)
        if self.sources.setdefault(path, sources) != sources:
            raise InputError.at(path, f"result of {self.sources[path]} and of {sources}", "rename one of them")

    def _affine(self, result: MetaTensor, source: MetaTensor) -> NDArray[np.float64]:
        """Return the affine of the file to write; the result has to be on its grid."""
        header = header_of(source)
        affine: NDArray[np.float64] = header.get_best_affine()
        grids = tuple(result.shape[1:]), tuple(header.get_data_shape())
        if grids[0] != grids[1] or not np.allclose(result.affine, affine, rtol=0, atol=GRID_TOLERANCE):
            name = source.meta["filename_or_obj"]
            raise ValueError(f"result is not on the grid of {name}: shapes {grids}, {result.affine=}, {affine=}")
        return affine


def _write_alignment(path: Path, alignment: str) -> None:
    content = {"Alignment": json.loads(alignment)}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def derivative_path(output_dir: Path, source: Path | str, suffix: str, prefix: str = "") -> Path:
    """Name the file of a result with ``suffix`` made from the image ``source``, in a case with a ``result_prefix``."""
    stem = name_without_echo(stem_of(source))
    match = BIDS_NAME.fullmatch(stem)
    if match is None:
        return output_dir / "_".join(filter(None, (prefix, stem, f"{suffix}.nii.gz")))
    folder = output_dir / prefix / match["subject"] / (match["session"] or "") / "anat"
    return folder / f"{match['stem']}_{suffix}.nii.gz"

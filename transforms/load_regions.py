"""Regions of a head by name, whatever their numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from ..datasets.file_names import stem_of
from ..datasets.input_error import InputError
from ..datasets.regions import read_region_names
from ..datasets.volumes import read_volume
from .volume_grids import same_grid


class LoadRegionsd(MapTransform):
    """Load the label map ``*_dseg.nii[.gz]`` beside a map, numbered anew by the names of its labels.

    Names are those of BIDS' ``dseg.tsv`` (columns ``index``, ``name``) in the folder of the label map or the nearest
    one above. Capitals and the difference between ``_``, ``-`` and blanks do not matter.

    Args:
        keys: where the regions go, int16, ``(1, x, y, z)``.
        regions: for each region the names that it may have, all of which count. The first region becomes 1, and so on;
            all else 0.
        label_key: of the map, loaded before.
        allow_missing_keys: leave out what has no map at ``label_key``.

    Raises:
        ValueError: if there are no regions, or a name stands in two of them.
        InputError: if a label map or its names are missing, unusable or on another grid, or none of the regions is
            named there.
    """

    def __init__(
        self,
        keys: KeysCollection,
        regions: Mapping[str, Sequence[str]],
        label_key: str = "label",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        names = [(_plain(name), number) for number, known in enumerate(regions.values(), 1) for name in known]
        self.numbers = dict(names)
        if not names or len(self.numbers) < len(names):
            raise ValueError(f"regions must have names, each of them once, got {dict(regions)}")
        self.label_key = label_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the regions at every key."""
        out = dict(data)
        if self.allow_missing_keys and self.label_key not in out:
            return out
        source = out[self.label_key]
        path = _label_map_beside(Path(str(source.meta["filename_or_obj"])))
        loaded = read_volume(path, allow_constant=True)
        if not same_grid(loaded, source):
            raise InputError.at(path, "lies on another grid than its map", "resample it, by nearest neighbor")
        regions = self._numbered(loaded, _table_of(path))
        for key in self.keys:
            out[key] = regions.clone()
        return out

    def _numbered(self, loaded: MetaTensor, table: Path) -> MetaTensor:
        names = read_region_names(table)
        new = {label: self.numbers[_plain(name)] for label, name in names.items() if _plain(name) in self.numbers}
        if not new:
            problem = f"names none of the regions ({', '.join(self.numbers)})"
            raise InputError.at(table, problem, f"add its names to `regions`: {', '.join(names.values())}")
        labels = loaded.numpy().round().astype(np.int64)
        numbered = np.zeros(labels.shape, np.int16)
        for label, number in new.items():
            numbered[labels == label] = number
        return MetaTensor(torch.from_numpy(numbered), meta=dict(loaded.meta))


def _plain(name: str) -> str:
    return name.lower().replace("_", " ").replace("-", " ").strip()


def _label_map_beside(path: Path) -> Path:
    stem = stem_of(path).rpartition("_")[0]
    found = [file for ending in ("nii.gz", "nii") if (file := path.with_name(f"{stem}_dseg.{ending}")).is_file()]
    if not found:
        raise InputError.at(path.with_name(f"{stem}_dseg.nii.gz"), "no such file", "add the label map of the regions")
    return found[0]


def _table_of(path: Path) -> Path:
    """Find ``dseg.tsv`` in the folder of the file or above, up to the root of its derivatives."""
    for folder in path.parents:
        if (folder / "dseg.tsv").is_file():
            return folder / "dseg.tsv"
        if (folder / "dataset_description.json").is_file():
            break
    raise InputError.at(path, "has no dseg.tsv above it", "add one with the columns index and name")

"""Mean gray values in the regions of a label map."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...datasets import Case, InputError, read_volume
from ...datasets.file_names import is_nifti
from ...datasets.regions import read_region_names
from ...transforms.volume_grids import resample_to

logger = logging.getLogger(__name__)

DECIMALS = 6


class LabelMap(NamedTuple):
    """A label map and the names of its labels, which are their numbers where nothing tells them."""

    file: Path
    names: dict[int, str]


def require_label_maps(dataset: Path, label: str) -> None:
    """Check, before any work, that a dataset has label maps of the kind ``PIPELINE/SUFFIX``, such as ``qsm/dseg``.

    Raises:
        InputError: if it has none, or several pipelines have some and none is chosen.
    """
    folders = sorted({path.relative_to(dataset).parts[1] for path in dataset.glob(_pattern(label, "sub-*"))})
    if not folders:
        remedy = "name a derivative and the suffix of its label maps, as in qsm/dseg"
        raise InputError.at(f"`regions` {label}", f"{dataset / 'derivatives'} has no such label maps", remedy)
    if len(folders) > 1:
        problem = f"label maps in several derivatives ({', '.join(folders)})"
        raise InputError.at(f"`regions` {label}", problem, f"choose one, as in {folders[0]}/{label.rpartition('/')[2]}")


def label_map_of(case: Case, dataset: Path, label: str) -> LabelMap | None:
    """Find the label map of a case in the derivatives of its dataset; None, with a warning, where there is none."""
    found = [path for path in sorted(dataset.glob(_pattern(label, case.subject))) if is_nifti(path)]
    of_case = [path for path in found if path.name.startswith(f"{case.name}_") and _is_of_session(path, case)]
    if not of_case:
        logger.warning("%s: no label map %s of %s, so that it has no numbers by region", dataset, label, case.name)
        return None
    table = next((folder / "dseg.tsv" for folder in of_case[0].parents if (folder / "dseg.tsv").is_file()), None)
    return LabelMap(of_case[0], read_region_names(table) if table else {})


def region_means(image: Path, label_map: LabelMap) -> dict[str, float | int | None]:
    """Return ``<region>_mean``, ``_sd`` (of the sample) and ``_voxels`` of all labels but 0.

    A label map on another grid is resampled by nearest neighbor. Regions that are not in the image have 0 voxels, and
    None for the rest.
    """
    values = read_volume(image, allow_nan=True, allow_constant=True, allow_2d=True)
    labels = resample_to(read_volume(label_map.file, allow_constant=True, allow_2d=True), values, "nearest")
    numbers, gray = labels[0].numpy().round().astype(np.int64), values[0].numpy()
    names = label_map.names or {int(label): f"label_{label}" for label in np.unique(numbers)}
    columns: dict[str, float | int | None] = {}
    for label, name in sorted(names.items()):
        if label:
            columns |= {f"{_column(name)}_{kind}": value for kind, value in _moments(gray[numbers == label]).items()}
    return columns


def _moments(values: NDArray[np.float32]) -> dict[str, float | int | None]:
    exact = values.astype(np.float64)
    return {
        "mean": round(float(exact.mean()), DECIMALS) if values.size else None,
        "sd": round(float(exact.std(ddof=1)), DECIMALS) if values.size > 1 else None,
        "voxels": int(values.size),
    }


def _column(name: str) -> str:
    """Write ``left_thalamus_proper`` for ``Left-Thalamus-Proper``."""
    return re.sub(r"\W+", "_", name.strip().lower())


def _pattern(label: str, subject: str) -> str:
    pipeline, _, suffix = label.rpartition("/")
    return f"derivatives/{pipeline or '*'}/{subject}/**/*_{suffix}.nii*"


def _is_of_session(path: Path, case: Case) -> bool:
    return bool(case.session) or "_ses-" not in path.name

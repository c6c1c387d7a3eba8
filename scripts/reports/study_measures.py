"""The numbers of one case for the table of a study, kept beside its result."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets import read_volume
from ...datasets.sidecars import read_sidecar
from ...metrics.lesion_places import PLACES, UNKNOWN, Lesion
from ..running.bundle import Bundle
from ..running.prediction import Prediction
from ..running.records import write_json
from ..running.written_files import LESION_MASK, file_of
from .found_lesions import lesions_of
from .lesion_volume import volume_interval
from .region_means import LabelMap, region_means
from .shown_results import shown_result

ENDING = "_measures.json"
PACKAGES = ("mri-attention", "torch", "monai")
DECIMALS = 6

Measures = dict[str, Any]
"""Value by column, None where there is none."""


def write_measures(prediction: Prediction, bundle: Bundle, label_map: LabelMap | None = None) -> Path | None:
    """Write the numbers of a case as ``*_measures.json`` beside its result; return the file, None without images.

    Of a mask of lesions these are their number and volume, in all and by place; of an image, its size, and with a
    ``label_map`` mean, standard deviation and voxels of each region. Then the run time, versions and warnings.
    """
    result = shown_result(prediction.files)
    if result is None:
        return None
    is_mask = result == file_of(prediction.files, LESION_MASK)
    of_result = _of_lesions(prediction) if is_mask else _image_measures(result, label_map)
    stem = result.name.removesuffix(".nii.gz").removesuffix("_mask")
    path = result.with_name(f"{stem}{ENDING}")
    write_json(
        {
            "participant_id": prediction.case.subject,
            "session_id": prediction.case.session or None,
            "result": result.name,
            **of_result,
            **_provenance(prediction, bundle),
            "unit": read_sidecar(result).get("Units", ""),
        },
        path,
    )
    return path


def lesion_measures(lesions: Sequence[Lesion]) -> Measures:
    """Count lesions and add their volumes (ml), in all and by place; None by place where places are unknown."""
    measures: Measures = {
        "lesion_count": len(lesions),
        "lesion_volume": round(sum(lesion.volume_ml for lesion in lesions), DECIMALS),
    }
    is_unknown = any(lesion.place == UNKNOWN for lesion in lesions)
    for place in PLACES:
        volumes = [lesion.volume_ml for lesion in lesions if lesion.place == place]
        measures[f"{place}_count"] = None if is_unknown else len(volumes)
        measures[f"{place}_volume"] = None if is_unknown else round(sum(volumes), DECIMALS)
    return measures


def _of_lesions(prediction: Prediction) -> Measures:
    measures, interval = lesion_measures(lesions_of(prediction)), volume_interval(prediction)
    ends = {} if interval is None else dict(zip(("low", "high"), interval, strict=True))
    return measures | {f"lesion_volume_{name}": round(volume, DECIMALS) for name, volume in ends.items()}


def _image_measures(result: Path, label_map: LabelMap | None) -> Measures:
    volume = read_volume(result, allow_nan=True, allow_constant=True, allow_2d=True)
    sizes = np.linalg.norm(volume.affine.numpy()[:3, :3], axis=0)
    return {
        **{f"n_voxels_{axis}": int(n) for axis, n in zip("ijk", volume.shape[1:], strict=True)},
        **{f"voxel_size_{axis}": round(float(size), DECIMALS) for axis, size in zip("ijk", sizes, strict=True)},
        **(region_means(result, label_map) if label_map else {}),
    }


def _provenance(prediction: Prediction, bundle: Bundle) -> Measures:
    return {
        "seconds": round(prediction.seconds, 2),
        "bundle": bundle.name,
        "bundle_version": bundle.version,
        **{f"{name.replace('-', '_')}_version": version(name) for name in PACKAGES},
        "warnings": " | ".join(prediction.warnings) or None,
    }

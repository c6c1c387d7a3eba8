"""The columns of the table of a study, as BIDS' data dictionaries explain them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...metrics.lesion_places import PLACES, TOUCHING

MEANING = {
    "periventricular": f"that touch the ventricles (voxels at most {TOUCHING:g} mm apart), and are not infratentorial",
    "juxtacortical": f"that touch the cortex (voxels at most {TOUCHING:g} mm apart), and not the ventricles",
    "infratentorial": "of which most lies in brain stem or cerebellum",
    "other": "of none of the other places",
}
SOURCE = "Thompson et al. 2018, doi:10.1016/S1474-4422(17)30470-2; Filippi et al. 2019, doi:10.1093/brain/awz144"

FIRST = {
    "participant_id": {"Description": "Participant"},
    "session_id": {"Description": "Session, n/a where the participant has none"},
    "result": {"Description": "File of the result that the numbers are of, below the folder of the table"},
}
LESIONS = {
    "lesion_count": {"Description": "Number of lesions: connected parts (26 neighbors) of the mask"},
    "lesion_volume": {"Description": "Volume of all lesions", "Units": "mL"},
    **{
        f"lesion_volume_{end}": {"Description": f"{what} end of the interval of this volume", "Units": "mL"}
        for end, what in (("low", "Lower"), ("high", "Upper"))
    },
}
IMAGES = {
    **{f"n_voxels_{axis}": {"Description": f"Voxels of the result along its axis {axis}"} for axis in "ijk"},
    **{
        f"voxel_size_{axis}": {"Description": f"Size of its voxels along its axis {axis}", "Units": "mm"}
        for axis in "ijk"
    },
}
LAST = {
    "seconds": {"Description": "Run time, from reading the images to writing the results", "Units": "s"},
    "bundle": {"Description": "What made the result"},
    "bundle_version": {"Description": "Version of the bundle"},
    "mri_attention_version": {"Description": "Version of the package mri-attention"},
    "torch_version": {"Description": "Version of the package torch"},
    "monai_version": {"Description": "Version of the package monai"},
    "warnings": {"Description": "What was told while the case was worked on, parted by |; n/a for nothing"},
}


def dictionary(columns: Iterable[str], unit: str = "") -> dict[str, Any]:
    """Explain columns, those of regions by their endings.

    Args:
        columns: names.
        unit: of the gray values in regions.
    """
    known = {**FIRST, **LESIONS, **_of_places(), **IMAGES, **LAST}
    return {name: known.get(name) or _of_region(name, unit) for name in columns}


def _of_places() -> dict[str, dict[str, str]]:
    columns = {}
    for place in PLACES:
        columns[f"{place}_count"] = {"Description": f"Number of lesions {MEANING[place]}; {SOURCE}"}
        columns[f"{place}_volume"] = {"Description": f"Volume of lesions {MEANING[place]}", "Units": "mL"}
    return columns


def _of_region(name: str, unit: str) -> dict[str, str]:
    region, _, kind = name.rpartition("_")
    if kind == "voxels":
        return {"Description": f"Voxels of the result in the region {region}"}
    what = {"mean": "Mean", "sd": "Standard deviation"}[kind]
    return {"Description": f"{what} of the result in the region {region}", **({"Units": unit} if unit else {})}

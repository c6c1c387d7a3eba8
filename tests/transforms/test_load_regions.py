"""Tests of transforms.regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError, read_volume, write_volume
from mri_attention.transforms import LoadRegionsd

LABELS = np.arange(24).reshape(4, 3, 2) % 5
REGIONS = {"pallidum": ["pallidum", "Globus pallidus"], "thalamus": ["Left-Thalamus", "Right-Thalamus"]}
TABLE = "index\tname\n1\tglobus_pallidus\n2\tright thalamus\n3\tLeft-Thalamus\n4\tCSF\n"


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    anat = tmp_path / "derivatives" / "qsm" / "sub-1" / "anat"
    chi = write_volume(anat / "sub-1_Chimap.nii.gz", LABELS * 0.1, np.diag([1.0, 1, 2, 1]))
    write_volume(anat / "sub-1_dseg.nii.gz", LABELS, np.diag([1.0, 1, 2, 1]), dtype="int16")
    (anat.parents[1] / "dseg.tsv").write_text(TABLE)
    return {"label": read_volume(chi)}


def files(data: dict[str, Any]) -> tuple[Path, Path]:
    labels = Path(data["label"].meta["filename_or_obj"]).with_name("sub-1_dseg.nii.gz")
    return labels, labels.parents[2] / "dseg.tsv"


def test_regions_are_numbered_in_their_order_by_their_names(data: dict[str, Any]) -> None:
    found = LoadRegionsd("regions", REGIONS)(data)["regions"]
    np.testing.assert_array_equal(found[0].numpy(), np.select([LABELS == 1, np.isin(LABELS, [2, 3])], [1, 2], 0))
    np.testing.assert_array_equal(found.affine, data["label"].affine)


def test_what_has_no_map_has_no_regions(data: dict[str, Any]) -> None:
    assert "regions" not in LoadRegionsd("regions", REGIONS, allow_missing_keys=True)({"image": data["label"]})


def test_names_beside_the_label_map_come_first(data: dict[str, Any]) -> None:
    labels, _ = files(data)
    labels.with_name("dseg.tsv").write_text("index\tname\n4\tpallidum\n")
    found = LoadRegionsd("regions", REGIONS)(data)["regions"]
    np.testing.assert_array_equal(found[0].numpy(), LABELS == 4)


def test_names_of_another_dataset_above_do_not_count(data: dict[str, Any], tmp_path: Path) -> None:
    _, table = files(data)
    table.rename(tmp_path / "dseg.tsv")
    table.with_name("dataset_description.json").write_text("{}")
    with pytest.raises(InputError, match=r"has no dseg\.tsv above it"):
        LoadRegionsd("regions", REGIONS)(data)


def test_label_maps_that_cannot_be_used_are_refused(data: dict[str, Any]) -> None:
    labels, table = files(data)
    table.write_text("index\tname\n4\tCSF\n")
    with pytest.raises(InputError, match=r"names none of the regions .* CSF"):
        LoadRegionsd("regions", REGIONS)(data)
    nib.save(nib.Nifti1Image(LABELS.astype(np.int16), np.eye(4)), labels)
    with pytest.raises(InputError, match="lies on another grid"):
        LoadRegionsd("regions", REGIONS)(data)
    labels.unlink()
    with pytest.raises(InputError, match=r"sub-1_dseg\.nii\.gz: no such file"):
        LoadRegionsd("regions", REGIONS)(data)


@pytest.mark.parametrize("regions", [{}, {"a": []}, {"a": ["x_y"], "b": ["X y"]}])
def test_regions_need_names_of_their_own(regions: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="regions must have names"):
        LoadRegionsd("regions", regions)

"""Numbers of cases beside their results, and the table of all."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from mri_attention.datasets import Case, InputError
from mri_attention.metrics.lesion_places import Lesion
from mri_attention.scripts.reports.region_means import LabelMap, label_map_of, region_means
from mri_attention.scripts.reports.study import Study
from mri_attention.scripts.reports.study_columns import dictionary
from mri_attention.scripts.reports.study_measures import lesion_measures, write_measures
from mri_attention.scripts.reports.study_table import read_measures, write_study_tables
from mri_attention.scripts.running.bundle import Bundle
from mri_attention.scripts.running.prediction import Prediction
from tests.scripts.conftest import AFFINE, SHAPE, write_image

LABELS = np.zeros(SHAPE, np.uint8)
LABELS[4:8] = 1
LABELS[10:12] = 7
LABELS[20, 10, 8] = 9
NAMES = "index\tname\n0\tbackground\n1\tLeft-Putamen\n7\tpallidum\n8\tred nucleus\n9\tdot\n"


@pytest.fixture
def chi(tmp_path: Path) -> Path:
    """A map of susceptibility that is 0.1 in the first region and 0 to 0.3 in the second."""
    values = np.zeros(SHAPE, np.float32)
    values[LABELS == 1] = 0.1
    values[10], values[11] = 0.0, 0.3
    return write_image(tmp_path / "out" / "sub-01" / "anat" / "sub-01_Chimap.nii.gz", values)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A dataset with a label map of one case."""
    folder = tmp_path / "dataset" / "derivatives" / "qsm"
    write_image(folder / "sub-01" / "anat" / "sub-01_dseg.nii.gz", LABELS)
    (folder / "dseg.tsv").write_text(NAMES)
    return tmp_path / "dataset"


def prediction_of(result: Path, **more: object) -> Prediction:
    return Prediction(Case("sub-01", image=[]), [result], **more)  # type: ignore[arg-type]


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def write_row(folder: Path, subject: str, **values: object) -> Path:
    """Write the numbers of a case as an earlier run left them."""
    versions = {f"{name}_version": "1" for name in ("bundle", "mri_attention", "torch", "monai")}
    row = {"participant_id": subject, "session_id": None, "result": f"{subject}_Chimap.nii.gz", "seconds": 1.5}
    path = folder / subject / "anat" / f"{subject}_Chimap_measures.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row | versions | {"bundle": "tiny", "warnings": None} | values))
    return path


def test_means_of_regions_are_those_of_their_voxels(chi: Path, labelled: Path) -> None:
    label_map = label_map_of(Case("sub-01"), labelled, "qsm/dseg")
    assert label_map is not None
    columns = region_means(chi, label_map)
    n_slice = SHAPE[1] * SHAPE[2]
    assert (columns["left_putamen_mean"], columns["left_putamen_sd"]) == (0.1, 0.0)
    assert columns["left_putamen_voxels"] == 4 * n_slice
    values = np.repeat([0.0, 0.3], n_slice)
    assert columns["pallidum_mean"] == pytest.approx(0.15)
    assert columns["pallidum_sd"] == pytest.approx(values.std(ddof=1), abs=1e-6)
    assert (columns["red_nucleus_mean"], columns["red_nucleus_sd"], columns["red_nucleus_voxels"]) == (None, None, 0)
    assert (columns["dot_mean"], columns["dot_sd"], columns["dot_voxels"]) == (0.0, None, 1)
    assert not any(name.startswith("background") for name in columns)


def test_label_maps_of_another_grid_are_resampled(chi: Path, labelled: Path, tmp_path: Path) -> None:
    fine = np.repeat(LABELS, 2, axis=0)
    affine = AFFINE @ np.diag([0.5, 1, 1, 1])
    affine[:3, 3] -= 0.25 * AFFINE[:3, 0]
    file = write_image(tmp_path / "fine_dseg.nii.gz", fine, affine)
    coarse = region_means(chi, LabelMap(labelled / "derivatives/qsm/sub-01/anat/sub-01_dseg.nii.gz", {1: "a"}))
    assert region_means(chi, LabelMap(file, {1: "a"})) == coarse


def test_labels_without_names_are_called_by_their_numbers(chi: Path, labelled: Path) -> None:
    (labelled / "derivatives" / "qsm" / "dseg.tsv").unlink()
    label_map = label_map_of(Case("sub-01"), labelled, "dseg")
    assert label_map is not None
    assert "label_7_mean" in region_means(chi, label_map)


def test_a_case_without_label_map_is_told(labelled: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert label_map_of(Case("sub-02"), labelled, "qsm/dseg") is None
    assert "no label map qsm/dseg of sub-02" in caplog.text


def test_a_visit_gets_its_own_label_map(labelled: Path) -> None:
    anat = labelled / "derivatives" / "qsm" / "sub-01" / "ses-2" / "anat"
    write_image(anat / "sub-01_ses-2_dseg.nii.gz", LABELS)
    found = [label_map_of(Case("sub-01", session), labelled, "qsm/dseg") for session in ("", "ses-2")]
    assert [label_map.file.name for label_map in found if label_map] == [
        "sub-01_dseg.nii.gz",
        "sub-01_ses-2_dseg.nii.gz",
    ]


@pytest.mark.parametrize(
    ("regions", "message"),
    [("qsm/aseg", "no such label maps"), ("dseg", "in several derivatives \\(other, qsm\\)")],
)
def test_regions_that_no_label_map_tells_are_refused(
    labelled: Path, tiny_bundle: Path, regions: str, message: str
) -> None:
    write_image(labelled / "derivatives" / "other" / "sub-01" / "anat" / "sub-01_dseg.nii.gz", LABELS)
    with pytest.raises(InputError, match=message):
        Study(Bundle.find(tiny_bundle), labelled, regions)


def test_regions_of_a_datalist_are_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match="without a BIDS folder"):
        Study(Bundle.find(tiny_bundle), tmp_path / "list.json", "qsm/dseg")


def test_the_table_explains_its_columns_with_units(
    chi: Path, labelled: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    chi.with_name("sub-01_Chimap.json").write_text('{"Units": "ppm"}')
    study = Study(Bundle.find(tiny_bundle), labelled, "qsm/dseg")
    study.add(prediction_of(chi, seconds=2.345, warnings=["one", "two\tof them"]))
    (table,) = study.write(tmp_path / "out")
    assert table == tmp_path / "out" / "tiny.tsv"
    (row,) = rows_of(table)
    assert row["participant_id"] == "sub-01"
    assert row["session_id"] == row["red_nucleus_mean"] == "n/a"
    assert (row["seconds"], row["warnings"]) == ("2.35", "one | two of them")
    assert [row[f"n_voxels_{axis}"] for axis in "ijk"] == list(map(str, SHAPE))
    assert [row[f"voxel_size_{axis}"] for axis in "ijk"] == ["1.5", "1.5", "2.0"]
    explained = json.loads(table.with_suffix(".json").read_text())
    assert list(explained) == list(row)
    assert all(column["Description"] for column in explained.values())
    assert explained["pallidum_mean"]["Units"] == "ppm"
    assert "Units" not in explained["pallidum_voxels"]


def test_a_result_that_is_no_image_has_no_numbers(tiny_bundle: Path, tmp_path: Path) -> None:
    assert write_measures(prediction_of(tmp_path / "a.txt"), Bundle.find(tiny_bundle)) is None


def test_lesions_are_counted_by_place() -> None:
    places = ("periventricular", "other", "periventricular")
    lesions = [Lesion(n, 0.1 * n, (0, 0, 0), place, math.nan) for n, place in enumerate(places, start=1)]
    measures = lesion_measures(lesions)
    assert (measures["lesion_count"], measures["lesion_volume"]) == (3, 0.6)
    assert (measures["periventricular_count"], measures["periventricular_volume"]) == (2, 0.4)
    assert (measures["juxtacortical_count"], measures["juxtacortical_volume"]) == (0, 0)
    unknown = lesion_measures([Lesion(1, 0.1, (0, 0, 0), "unknown", math.nan)])
    assert (unknown["lesion_count"], unknown["other_count"], unknown["other_volume"]) == (1, None, None)
    assert all(column["Description"] for column in dictionary(measures).values())


def test_rows_are_those_of_the_results_in_the_folder(tmp_path: Path) -> None:
    first, _ = write_row(tmp_path, "sub-02"), write_row(tmp_path, "sub-01", pallidum_mean=0.1)
    write_row(tmp_path / ".mri-attention-running", "sub-03")
    (table,) = write_study_tables(tmp_path)
    rows = rows_of(table)
    assert [row["participant_id"] for row in rows] == ["sub-01", "sub-02"]
    assert [row["pallidum_mean"] for row in rows] == ["0.1", "n/a"]
    assert rows[0]["result"] == "sub-01/anat/sub-01_Chimap.nii.gz"
    first.unlink()
    write_study_tables(tmp_path)
    assert [row["participant_id"] for row in rows_of(table)] == ["sub-01"]


def test_bundles_have_tables_of_their_own(tmp_path: Path) -> None:
    write_row(tmp_path, "sub-01")
    write_row(tmp_path, "sub-02", bundle="other")
    assert [table.name for table in write_study_tables(tmp_path)] == ["other.tsv", "tiny.tsv"]


def test_a_table_of_somebody_else_stays(tmp_path: Path) -> None:
    write_row(tmp_path, "sub-01")
    (tmp_path / "tiny.tsv").write_text("mine\n1\n")
    with pytest.raises(InputError, match="a table of something else"):
        write_study_tables(tmp_path)
    assert (tmp_path / "tiny.tsv").read_text() == "mine\n1\n"


def test_numbers_are_those_of_the_image_not_of_the_mask_of_its_brain(chi: Path, tiny_bundle: Path) -> None:
    mask = write_image(chi.with_name("sub-01_desc-brain_mask.nii.gz"), np.ones(SHAPE, np.uint8))
    prediction = Prediction(Case("sub-01", image=[]), [mask, chi])
    path = write_measures(prediction, Bundle.find(tiny_bundle))
    assert path is not None
    assert read_measures(path)["result"] == chi.name


def test_columns_that_somebody_added_stay(tmp_path: Path) -> None:
    write_row(tmp_path, "sub-01")
    (table,) = write_study_tables(tmp_path)
    added = "\n".join(
        f"{line}\t3" if number else f"{line}\tedss" for number, line in enumerate(table.read_text().splitlines())
    )
    table.write_text(added + "\n")
    with pytest.raises(InputError, match=r"columns were added to this table, which would be lost \(edss\)"):
        write_study_tables(tmp_path)
    assert table.read_text() == added + "\n"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"participant_id": "sub-01"}'])
def test_numbers_that_cannot_be_read_are_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sub-01_measures.json"
    path.write_text(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_measures(path)


@pytest.mark.parametrize("content", ["\ufeff{}".encode(), "{}M\u00fcller".encode("latin-1")])
def test_a_table_that_a_spreadsheet_saved_is_made_anew(content: bytes, tmp_path: Path) -> None:
    write_row(tmp_path, "sub-01")
    (table,) = write_study_tables(tmp_path)
    gathered = table.read_bytes()
    table.write_bytes(content.replace(b"{}", gathered))
    write_study_tables(tmp_path)
    assert table.read_bytes() == gathered

"""Tests of brain masks for whole folders."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError, find_cases
from mri_attention.scripts.preparations import brain_masks
from mri_attention.scripts.preparations.brain_masks import prepare_brain_masks
from mri_attention.transforms import brain_extraction
from tests.transforms.skulls import ball, save_head


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a ball in the place of deepbet's network."""
    monkeypatch.setattr(brain_extraction, "find_brain", lambda image, device: ball(image))
    monkeypatch.setattr(brain_masks, "require_deepbet", lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sessions of a head, one without T1w, and a brain that was extracted before."""
    source = tmp_path / "in"
    for name in ("sub-01/ses-1/anat/sub-01_ses-1_T1w", "sub-01/ses-1/anat/sub-01_ses-1_FLAIR"):
        save_head(source / f"{name}.nii.gz")
    for name in ("FLAIR", "acq-mprage_T1w", "ce-gad_T1w", "dwi"):
        save_head(source / f"sub-01/ses-2/anat/sub-01_ses-2_{name}.nii.gz")
    save_head(source / "sub-02/anat/sub-02_FLAIR.nii.gz", skull=False)
    return source


def test_every_head_gets_a_mask_on_the_grid_of_its_best_image(folder: Path, tmp_path: Path) -> None:
    output, told = tmp_path / "out", []
    names = prepare_brain_masks(folder, output, lambda done, total: told.append((done, total)))
    assert names == ["sub-01_ses-1", "sub-01_ses-2", "sub-02"]
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    masks = sorted(path.relative_to(output).as_posix() for path in output.rglob("*.nii.gz"))
    assert masks == [
        "sub-01/ses-1/anat/sub-01_ses-1_desc-brain_mask.nii.gz",
        "sub-01/ses-2/anat/sub-01_ses-2_acq-mprage_desc-brain_mask.nii.gz",
    ]
    mask, image = nib.load(output / masks[0]), nib.load(folder / "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz")
    np.testing.assert_array_equal(mask.affine, image.affine)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), ball(np.zeros(image.shape)))


def test_the_datalist_names_images_and_masks(folder: Path, tmp_path: Path) -> None:
    prepare_brain_masks(folder, tmp_path / "out")
    cases = find_cases(tmp_path / "out" / "datalist.json", ["FLAIR"])
    assert [case["image"] for case in cases] == [
        [str((folder / f"{name}_FLAIR.nii.gz").resolve())]
        for name in ("sub-01/ses-1/anat/sub-01_ses-1", "sub-01/ses-2/anat/sub-01_ses-2", "sub-02/anat/sub-02")
    ]
    assert [Path(case["mask"]).exists() for case in cases if "mask" in case] == [True, True]
    assert "mask" not in cases[2]
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"


def test_the_datalist_names_lesion_masks_where_there_is_one(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for rater, name in (("one", "sub-01/ses-1"), ("one", "sub-01/ses-2"), ("two", "sub-01/ses-2")):
        stem = name.replace("/", "_")
        save_head(folder / f"derivatives/{rater}/{name}/anat/{stem}_label-lesion_mask.nii.gz")
    prepare_brain_masks(folder, tmp_path / "out")
    labelled, without, none = find_cases(tmp_path / "out" / "datalist.json", ["FLAIR"])
    lesions = "derivatives/one/sub-01/ses-1/anat/sub-01_ses-1_label-lesion_mask.nii.gz"
    assert labelled["label"] == str((folder / lesions).resolve())
    assert "label" not in without
    assert "label" not in none
    assert "in several derivatives (one, two); write it as `label`" in caplog.text


def test_brains_without_skull_are_told(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    prepare_brain_masks(folder, tmp_path / "out")
    (record,) = caplog.records
    assert record.getMessage().endswith("sub-02_FLAIR.nii.gz: shows no skull, and got no mask")


@pytest.mark.parametrize(("name", "problem"), [("none", "no such folder"), ("", "no T1w, FLAIR, T2w image in it")])
def test_a_folder_without_heads_is_refused(name: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=problem):
        prepare_brain_masks(tmp_path / name, tmp_path / "out")

"""Tests of scripts.running.same_patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mri_attention.scripts.running.same_patient import Belongings, is_named_after, patients_of


@pytest.mark.parametrize("subject", ["sub-19", "19", "sub-19x001", "sub-19x1234", "sub-19x001x002"])
def test_what_is_made_of_a_head_is_named_after_it(subject: str) -> None:
    assert is_named_after(subject, "sub-19")


@pytest.mark.parametrize("subject", ["sub-1", "sub-190", "sub-19x1", "sub-19xa", "sub-119x001", "sub-001"])
def test_other_names_are_others(subject: str) -> None:
    assert not is_named_after(subject, "sub-19")


def test_patients_are_not_those_made_from_them() -> None:
    names = ["sub-07", "sub-07x001", "sub-07", "sub-08x001", "sub-09"]
    assert patients_of([{"subject": name} for name in names]) == ["sub-07", "sub-08x001", "sub-09"]


def case(subject: str, *images: Path | str, **others: Any) -> dict[str, Any]:
    return {"subject": subject, "session": "", "image": [str(image) for image in images], **others}


def test_files_and_folders_of_the_patient_are_its_own(tmp_path: Path) -> None:
    image = tmp_path / "sub-07" / "anat" / "sub-07_FLAIR.nii.gz"
    label = tmp_path / "derivatives" / "truth" / "sub-07" / "anat" / "label.nii.gz"
    own = Belongings("sub-07", [case("sub-07", image, label=str(label), mask="atlas.nii.gz")])
    assert own.include(case("sub-07x001", "elsewhere.nii.gz"))
    assert own.include(case("other", image))
    assert own.include(case("other", image.parent / "another.nii.gz"))
    assert own.include(case("other", "elsewhere.nii.gz", label=str(label)))
    assert own.include({"subject": "other", "image": {"FLAIR": str(image), "T2w": None}})
    assert own.include({"subject": "other", "image": str(image)})
    assert not own.include(case("sub-08", tmp_path / "sub-08" / "anat" / "sub-08_FLAIR.nii.gz"))
    assert not own.include(case("other", "elsewhere.nii.gz", mask="atlas.nii.gz"))


def test_links_lead_to_the_same_patient(tmp_path: Path) -> None:
    image = tmp_path / "store" / "a.nii.gz"
    image.parent.mkdir()
    image.touch()
    for name in ("sub-07", "copy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "FLAIR.nii.gz").symlink_to(image)
    own = Belongings("sub-07", [case("sub-07", tmp_path / "sub-07" / "FLAIR.nii.gz")])
    assert own.include(case("other", tmp_path / "copy" / "FLAIR.nii.gz"))
    assert own.include(case("other", tmp_path / "sub-07" / "T1w.nii.gz"))


def test_a_folder_of_all_patients_is_nobodys_own(tmp_path: Path) -> None:
    own = Belongings("sub-07", [case("sub-07", tmp_path / "sub-07_FLAIR.nii.gz")])
    assert not own.include(case("sub-08", tmp_path / "sub-08_FLAIR.nii.gz"))

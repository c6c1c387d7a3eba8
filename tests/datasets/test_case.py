"""Tests of datasets.case."""

import pytest

from mri_attention.datasets import Case, subject_and_session


@pytest.mark.parametrize(("session", "name"), [("", "sub-01"), ("ses-1", "sub-01_ses-1")])
def test_name_is_subject_and_session(session: str, name: str) -> None:
    assert Case("sub-01", session).name == name


def test_dictionaries_come_back_as_they_were() -> None:
    item = {"subject": "sub-01", "session": "", "image": ["a.nii"], "label": "b.nii", "split": "training"}
    assert Case.of(item).item() == item


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x/sub-01_ses-2_T1w.nii.gz", ("sub-01", "ses-2")),
        ("study_sub-01_T1w.nii.gz", ("sub-01", "")),
        ("dark fluid.nii.gz", ("dark fluid", "")),
        ("1.2.840.1.nii.gz", ("1.2.840.1", "")),
        ("1.2.840.2", ("1.2.840.2", "")),
    ],
)
def test_file_names_tell_their_case(path: str, expected: tuple[str, str]) -> None:
    assert subject_and_session(path) == expected

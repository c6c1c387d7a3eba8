"""Tests of datasets.file_names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mri_attention.datasets.file_names import BidsName, is_hidden, is_nifti, stem_and_suffix


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("p/1.2.840.1.nii.gz", ("1.2.840.1", ".nii.gz")),
        ("1.2.840.1", ("1.2.840.1", "")),
        ("T1.NII.GZ", ("T1", ".NII.GZ")),
        ("T1.v2.mha", ("T1.v2", ".mha")),
        ("raw.h5", ("raw", ".h5")),
        ("T1.gz.old", ("T1.gz.old", "")),
    ],
)
def test_only_known_suffixes_are_cut(path: str, expected: tuple[str, str]) -> None:
    assert stem_and_suffix(path) == expected


def test_names_of_bids_tell_entities_and_suffix() -> None:
    assert BidsName.of("sub-01_run-2_T1w.nii.gz") == ({"sub": "01", "run": "2"}, "T1w")
    assert BidsName.of("localfield.json") == ({}, "localfield")


@pytest.mark.parametrize("name", ["dataset_description.json", "sub-01.nii.gz", "sub-_T1w.nii"])
def test_other_names_are_none_of_bids(name: str) -> None:
    assert BidsName.of(name) is None


@pytest.mark.parametrize(("name", "hidden"), [("._sub-01_T1w.nii.gz", True), (".DS_Store", True), ("a.nii", False)])
def test_files_with_a_leading_dot_are_hidden(name: str, hidden: bool) -> None:
    assert is_hidden(Path("folder", name)) == hidden


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_files_are_known_by_their_names(name: str) -> None:
    assert is_nifti(Path(name))


@pytest.mark.parametrize("name", ["._a.nii.gz", "a.nii.gz.tmp", "a.nii.gz.part", "a.nii~", "a.mha"])
def test_what_lies_beside_nifti_files_is_none(name: str) -> None:
    assert not is_nifti(Path(name))

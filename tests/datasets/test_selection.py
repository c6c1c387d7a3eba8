"""Tests of datasets.selection, and of what find_cases takes of a BIDS folder as it is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets import InputError, Selection, find_cases
from mri_attention.datasets.selection import some_of

LABEL = "label-lesion_mask"


def write(dataset: Path, *names: str) -> None:
    """Make images of these BIDS names where they belong, or empty folders."""
    for name in names:
        folder = dataset.joinpath(*[part for part in name.split("_")[:-1] if part[:3] in ("sub", "ses")], "anat")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.nii.gz").touch()


def images(dataset: Path, contrasts: tuple[str, ...] = ("T1w",), **selection: Any) -> list[str]:
    found = find_cases(dataset, contrasts, selection=selection)
    return [Path(image).name.removesuffix(".nii.gz") for case in found for image in case["image"]]


def test_sessions_without_anat_are_passed_over_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "sub-01_ses-1_T1w", "sub-03_T1w")
    (tmp_path / "sub-01" / "ses-2" / "func").mkdir(parents=True)
    (tmp_path / "sub-02" / "dwi").mkdir(parents=True)
    assert images(tmp_path) == ["sub-01_ses-1_T1w", "sub-03_T1w"]
    assert "passed over for want of an anat folder: sub-01_ses-2, sub-02" in caplog.text
    with pytest.raises(InputError, match="sub-02 without anat folder; give a BIDS folder"):
        images(tmp_path, subjects="02")


def test_images_beside_sessions_are_a_case_too(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_T1w", "sub-01_ses-2_T1w")
    assert images(tmp_path) == ["sub-01_T1w", "sub-01_ses-2_T1w"]


def test_what_is_not_wanted_may_be_incomplete(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_ses-1_T2w", "sub-02_ses-1_T1w", "sub-02_ses-2_T2w")
    assert images(tmp_path, subjects=["02"], sessions=["1"]) == ["sub-02_ses-1_T1w"]
    with pytest.raises(InputError, match=r"has no T1w image; add .*, choose others by `subjects`, or set `skip_inc"):
        images(tmp_path)


def test_incomplete_cases_are_left_out_and_told_one_by_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "sub-01_T2w", "sub-02_T1w", "sub-03_run-1_T1w", "sub-03_run-2_T1w")
    with caplog.at_level(logging.WARNING):
        assert images(tmp_path, skip_incomplete=True) == ["sub-02_T1w"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0].endswith("anat: sub-01 has no T1w image: left out")
    assert "sub-03 has several T1w images (sub-03_run-1_T1w.nii.gz, sub-03_run-2_T1w.nii.gz): left out" in told[1]


def test_several_images_are_told_apart_by_run_and_acquisition(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_acq-a_run-01_T1w", "sub-01_acq-a_run-02_T1w", "sub-01_acq-b_run-01_T1w", "sub-01_T2w")
    with pytest.raises(InputError, match=r"several T1w images .*choose one by `runs` or `acquisitions`"):
        images(tmp_path)
    assert images(tmp_path, ("T1w", "T2w"), runs=2) == ["sub-01_acq-a_run-02_T1w", "sub-01_T2w"]
    assert images(tmp_path, runs="run-1", acquisitions="b") == ["sub-01_acq-b_run-01_T1w"]
    with pytest.raises(InputError, match="has no T1w image of run 3"):
        images(tmp_path, runs=3)


def test_runs_that_no_file_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_T1w")
    with pytest.raises(InputError, match="run-3: no such run; leave `runs` out"):
        images(tmp_path, runs=3)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"subjects": "09"}, "sub-09: no such subject; choose among sub-01"),
        ({"sessions": "9"}, "ses-9: no such session; choose among ses-1"),
        ({"subject": "01"}, "`selection` subject: no such part of it; write subjects"),
        ({"subjects": [1]}, r"`subjects` 1: is no name; write it in quotes: \['1'\]"),
        ({"subjects": ""}, "`subjects` '': is no name"),
        ({"skip_incomplete": "yes"}, "`skip_incomplete`: is 'yes'; write true or false"),
    ],
)
def test_selections_that_take_nothing_are_refused(tmp_path: Path, selection: Any, message: str) -> None:
    write(tmp_path, "sub-01_ses-1_T1w")
    with pytest.raises(InputError, match=message):
        images(tmp_path, **selection)


def test_label_is_that_of_the_run(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_run-1_T1w", "sub-01_run-2_T1w")
    for run in "12":
        write(tmp_path / "derivatives" / "x", f"sub-01_run-{run}_{LABEL}")
    (case,) = find_cases(tmp_path, ("T1w",), LABEL, selection={"runs": "2"})
    assert case["label"].endswith(f"sub-01_run-2_{LABEL}.nii.gz")


def test_chosen_subjects_without_label_are_left_out_where_that_is_wanted(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_T1w", "sub-02_T1w")
    write(tmp_path / "derivatives" / "x", f"sub-01_{LABEL}")
    chosen = {"subjects": "01,02", "skip_incomplete": True}
    assert [case["subject"] for case in find_cases(tmp_path, ("T1w",), LABEL, selection=chosen)] == ["sub-01"]


def test_subjects_are_those_of_both_lists(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_T1w", "sub-02_T1w", "sub-03_T1w")
    found = find_cases(tmp_path, ("T1w",), subjects=["01", "02"], selection={"subjects": "02,03"})
    assert [case["subject"] for case in found] == ["sub-02"]


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_run-1_T1w")
    anat = tmp_path / "sub-01" / "anat"
    (anat / "._sub-01_run-1_T1w.nii.gz").touch()
    (tmp_path / "._sub-01").touch()
    assert images(tmp_path) == ["sub-01_run-1_T1w"]


def test_only_a_selection_of_something_is_true() -> None:
    assert not Selection()
    assert Selection(runs=["1"])
    assert Selection.of(Selection(runs=["1"])) == Selection(runs=["1"])


def test_long_lists_are_cut() -> None:
    assert some_of([str(i) for i in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"

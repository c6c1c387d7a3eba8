"""Tests of datasets.datalists and datasets.datalist_entries."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets.bids import find_cases
from mri_attention.datasets.input_error import InputError


def touch(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


def cases_of(folder: Path, content: Any, contrasts: tuple[str, ...] = ("T1w",), **options: Any) -> list[dict[str, Any]]:
    """Find the cases of a datalist with this content, in whose folder ``a.nii`` and ``b.nii`` lie."""
    for name in ("a.nii", "b.nii"):
        touch(folder / name)
    (folder / "list.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return find_cases(folder / "list.json", contrasts, **options)


@pytest.mark.parametrize("name", ["label", "mask"])
def test_files_of_an_entry_are_kept_and_start_at_its_folder(tmp_path: Path, name: str) -> None:
    assert cases_of(tmp_path, [{"image": "a.nii", name: "b.nii"}])[0][name] == str(tmp_path / "b.nii")


def test_kspace_stands_for_one_of_the_images(tmp_path: Path) -> None:
    raw = touch(tmp_path / "sub-07_raw.h5")
    entry = {"image": {"T1w": "a.nii"}, "kspace": "sub-07_raw.h5", "reference": "b.nii"}
    (case,) = cases_of(tmp_path, [entry], ("T1w", "T2w"))
    assert case["image"] == [str(tmp_path / "a.nii")]
    assert (case["kspace"], case["reference"]) == (raw, str(tmp_path / "b.nii"))
    assert case["subject"] == "sub-07"
    with pytest.raises(InputError, match="in the order T1w, T2w, but that of which there is k-space"):
        cases_of(tmp_path, [entry | {"image": ["a.nii", "b.nii"]}], ("T1w", "T2w"))


THREE, OPTIONAL = ("T1w", "T2w", "FLAIR"), ("T1w", "T2w")


@pytest.mark.parametrize("image", [{"FLAIR": "b.nii", "T1w": "a.nii"}, ["x_FLAIR.nii", "T1w.nii"]], ids=str)
def test_entries_may_lack_optional_contrasts(tmp_path: Path, image: Any) -> None:
    for name in ("x_FLAIR.nii", "T1w.nii"):
        touch(tmp_path / name)
    (case,) = cases_of(tmp_path, [{"image": image}], THREE, optional=OPTIONAL)
    names = ("a.nii", "b.nii") if isinstance(image, dict) else ("T1w.nii", "x_FLAIR.nii")
    assert case["image"] == [str(tmp_path / names[0]), None, str(tmp_path / names[1])]
    with pytest.raises(InputError, match="lacks an image per contrast"):
        cases_of(tmp_path, [{"image": image}], THREE)


@pytest.mark.parametrize(
    "image", [{"T1w": "a.nii"}, ["a.nii", "b.nii"], {"FLAIR": "a.nii", "T1": "b.nii"}, []], ids=str
)
def test_entries_that_do_not_tell_what_is_missing_are_refused(tmp_path: Path, image: Any) -> None:
    with pytest.raises(InputError, match=r"entry 1: .*name them by contrast.*only T1w, T2w may be missing"):
        cases_of(tmp_path, [{"image": image}], THREE, optional=OPTIONAL)


def test_cases_of_one_flair_name_are_told_apart_whatever_else_they_have(tmp_path: Path) -> None:
    for name in ("p/T1w.nii", "p/FLAIR.nii", "q/FLAIR.nii"):
        touch(tmp_path / name)
    content = [{"image": ["p/T1w.nii", "p/FLAIR.nii"]}, {"image": {"FLAIR": "q/FLAIR.nii"}}]
    cases = cases_of(tmp_path, content, THREE, optional=OPTIONAL)
    assert [case["result_prefix"] for case in cases] == ["p", "q"]


@pytest.mark.parametrize("name", ["label", "mask", "kspace"])
def test_files_that_are_not_there_are_refused(tmp_path: Path, name: str) -> None:
    contrasts = ("T1w", "T2w") if name == "kspace" else ("T1w",)
    with pytest.raises(InputError, match=r"gone.nii: no such file, named in list.json"):
        cases_of(tmp_path, [{"image": ["a.nii"], name: "gone.nii"}], contrasts)


def test_entries_with_missing_files_are_left_out_where_that_is_wanted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = [{"image": "a.nii"}, {"image": "gone.nii"}]
    assert len(cases_of(tmp_path, content, selection={"skip_incomplete": True})) == 1
    assert "gone.nii: no such file, named in list.json: gone left out" in caplog.text


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"image": "a.nii", "subject": 12}, r'entry 1: "subject" is 12, which is no text; write "subject": "12"'),
        ({"image": "a.nii", "session": ["1"]}, r'"session" is \["1"\], which is no text'),
        ({"image": "a.nii", "mask": True}, r'"mask" is true, which is no text'),
        ({"image": [3]}, r'"image" is 3, which is no text'),
        (
            {"image": "a.nii", "subject": "../../sub-01"},
            r'"subject" is "../../sub-01", which is no name; write it with',
        ),
        ({"image": "a.nii", "session": "1\t2"}, r'"session" is "1\\t2", which is no name'),
        ({"image": ""}, r'"image" is empty; write it'),
        ({"image": "a.nii", "lable": "b.nii"}, r'has "lable", which nothing reads; write "label"'),
        ({"image": "a.nii", "brain_mask": "b.nii"}, r'has "brain_mask", which nothing reads; write "mask"'),
        ({"images": "a.nii"}, r'has "images", which nothing reads; write "image"'),
        ({"image": "a.nii", "reference": "b.nii"}, r'"reference", which has no meaning without "kspace"'),
    ],
)
def test_entries_that_are_not_meant_like_this_are_refused(tmp_path: Path, entry: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cases_of(tmp_path, [entry])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"train": []}, r'list.json: has "train", which nothing reads; write "training"'),
        ({"training": [{"image": "a.nii"}], "val": []}, r'has "val", which nothing reads; write "validation"'),
        ({"training": {"image": "a.nii"}}, "neither a list nor lists under training and validation"),
        ('{"training": [], "training": []}', "training twice in one object"),
        pytest.param("[" * 100_000, "list.json: not a JSON datalist", id="deeply nested"),
    ],
)
def test_lists_that_would_not_be_read_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cases_of(tmp_path, content)


def test_what_else_the_datalists_of_monai_hold_passes_in_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others = {"name": "x", "numTraining": 1, "labels": {"0": "background"}, "test": ["a.nii"]}
    (case,) = cases_of(tmp_path, {**others, "training": [{"image": "a.nii", "fold": 0, "label": None}]})
    assert set(case) == {"subject", "session", "image", "split"}
    assert not caplog.text


def test_keys_that_nothing_reads_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        cases_of(tmp_path, {"made": "today", "training": [{"image": "a.nii", "age": 40}]})
    assert "list.json: nothing reads its made" in caplog.text
    assert "list.json: nothing reads age of its entries" in caplog.text


def test_an_entry_that_stands_there_twice_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    entries = [{"image": "a.nii"}, {"image": "a.nii", "subject": "sub-02"}, {"image": "a.nii"}]
    cases_of(tmp_path, entries[:2])
    assert not caplog.messages
    assert len(cases_of(tmp_path, entries)) == 3
    cases_of(tmp_path, {"training": entries[:2], "validation": entries[2:]})
    assert [message.partition("list.json, ")[2] for message in caplog.messages] == [
        "entry 3: is entry 1 once more, so that this case counts twice",
        "entry 1 of validation: is entry 1 of training once more, so that this case counts twice",
    ]


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    assert len(cases_of(tmp_path, '\ufeff[{"image": "a.nii"}]')) == 1


def test_cases_of_files_with_the_same_names_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        touch(tmp_path / patient / "anat" / "T1.nii.gz")
    found = cases_of(tmp_path, [{"image": f"{p}/anat/T1.nii.gz"} for p in ("p1", "p2")] + [{"image": "a.nii"}])
    assert [(case["subject"], case["result_prefix"]) for case in found] == [
        ("a", ""),
        ("p1_anat_T1", "p1_anat"),
        ("p2_anat_T1", "p2_anat"),
    ]


def test_cases_of_files_with_the_same_names_are_told_apart_by_their_subjects(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        touch(tmp_path / patient / "T1.nii.gz")
    found = cases_of(tmp_path, [{"image": f"{p}/T1.nii.gz", "subject": f"x/{p}"} for p in ("p1", "p2")])
    assert [(case["subject"], case["result_prefix"]) for case in found] == [("x/p1", "x-p1"), ("x/p2", "x-p2")]


def test_subjects_that_files_name_stay_together_in_a_split(tmp_path: Path) -> None:
    for visit in ("v1", "v2"):
        touch(tmp_path / visit / "sub-01_T1w.nii.gz")
    found = cases_of(tmp_path, [{"image": f"{visit}/sub-01_T1w.nii.gz"} for visit in ("v1", "v2")])
    assert [(case["subject"], case["result_prefix"]) for case in found] == [("sub-01", "v1"), ("sub-01", "v2")]


def test_sessions_of_a_datalist_are_chosen(tmp_path: Path) -> None:
    content = [{"image": "a.nii", "subject": "x", "session": name} for name in ("ses-1", "ses-2")]
    (case,) = cases_of(tmp_path, content, selection={"sessions": "2"})
    assert case["session"] == "ses-2"
    with pytest.raises(InputError, match="`runs`: has no meaning for cases that name their files"):
        cases_of(tmp_path, content, selection={"runs": 1})

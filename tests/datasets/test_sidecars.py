"""Tests of datasets.sidecars and datasets.plausible_units."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets.input_error import InputError
from mri_attention.datasets.plausible_units import checked_b0, checked_echo_time
from mri_attention.datasets.sidecars import read_sidecar

IMAGE = "sub-01/ses-1/anat/sub-01_ses-1_run-2_localfield.nii.gz"


def write(folder: Path, name: str, content: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_the_nearest_sidecar_wins_and_others_add_to_it(tmp_path: Path) -> None:
    write(tmp_path, "localfield.json", {"MagneticFieldStrength": 3, "EchoTime": 0.01, "a": 0})
    write(tmp_path, "sub-01/sub-01_localfield.json", {"EchoTime": 0.02, "b": 1})
    write(tmp_path, "sub-01/ses-1/sub-01_ses-1_localfield.json", {"b": 2, "c": 2})
    write(tmp_path, IMAGE.replace(".nii.gz", ".json"), {"c": 3})
    expected = {"MagneticFieldStrength": 3, "EchoTime": 0.02, "a": 0, "b": 2, "c": 3}
    assert read_sidecar(tmp_path / IMAGE) == expected


@pytest.mark.parametrize(
    "name",
    [
        "T1w.json",
        "run-1_localfield.json",
        "acq-x_localfield.json",
        "sub-02_localfield.json",
        "dataset_description.json",
    ],
)
def test_sidecars_of_other_images_do_not_count(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, {"EchoTime": 1})
    write(tmp_path, "._localfield.json", "\0")
    write(tmp_path.parent, "localfield.json", {"EchoTime": 2})
    assert read_sidecar(tmp_path / IMAGE) == {}
    (tmp_path.parent / "localfield.json").unlink()


def test_of_one_folder_more_entities_win(tmp_path: Path) -> None:
    write(tmp_path, "localfield.json", {"EchoTime": 1})
    write(tmp_path, "run-2_localfield.json", {"EchoTime": 2})
    assert read_sidecar(tmp_path / IMAGE) == {"EchoTime": 2}


def test_nothing_is_inherited_from_above_a_folder_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "localfield.json", {"EchoTime": 1})
    assert read_sidecar(tmp_path / "scans" / "sub-01_localfield.nii.gz") == {}


def test_other_names_have_the_file_beside_them(tmp_path: Path) -> None:
    write(tmp_path, "1.2.840.json", '\ufeff{"EchoTime": 1}')
    assert read_sidecar(tmp_path / "1.2.840.nii.gz") == {"EchoTime": 1}
    assert read_sidecar(tmp_path / "other.nii.gz") == {}


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_inherited_sidecars_that_are_none_are_named(tmp_path: Path, content: str) -> None:
    write(tmp_path, "localfield.json", content)
    with pytest.raises(InputError, match=r"localfield.json: (cannot be read|is no JSON object)"):
        read_sidecar(tmp_path / IMAGE)


@pytest.mark.parametrize("value", [0.0065, 0.064, 1.5, 2.89, 3, 7, 11.7, 21.1])
def test_fields_of_scanners_pass(value: float) -> None:
    assert checked_b0(value, "x") == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3000, "3000 T is the field of no scanner; it is likely in mT: write 3$"),
        (30000, "likely in gauss: write 3$"),
        (123.25, r"likely in MHz: write 2.89"),
        (298e6, r"likely in Hz: write 7$"),
        (0.003, "0.003 T is the field of no scanner; write it in T"),
        (0, "0 T is the field of no scanner"),
        ("3", "'3' is no number; write a field strength in T as a number"),
        ([3], "is no number"),
        (True, "is no number"),
        (math.nan, "is no number"),
    ],
)
def test_other_fields_are_refused_with_the_likely_unit(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^x: .*{message}"):
        checked_b0(value, "x")


@pytest.mark.parametrize("value", [3e-5, 0.00492, 0.02, 0.12, 0.3])
def test_echo_times_of_images_pass(value: float) -> None:
    assert checked_echo_time(value, "x") == value
    assert checked_echo_time([value], "x") == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (20, "20 s is the echo time of no image; it is likely in ms: write 0.02$"),
        (4.92, "likely in ms: write 0.00492$"),
        (20000, "likely in microseconds: write 0.02$"),
        (-0.02, "write it in s"),
        (1e-6, "write it in s"),
        ("20", "'20' is no number"),
        ([20], "20 s is the echo time of no image; it is likely in ms: write 0.02$"),
        ([], "has 0 echo times"),
        ([0.01, 0.02], "has 2 echo times, where the phase is of one; give the phase of one echo"),
        (None, "None is no number"),
    ],
)
def test_other_echo_times_are_refused_with_the_likely_unit(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^x: .*{message}"):
        checked_echo_time(value, "x")

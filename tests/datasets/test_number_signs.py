"""Tests of datasets.number_signs."""

from pathlib import Path

import pytest

from mri_attention.datasets import InputError, find_cases, require_same_place


def test_a_new_folder_with_what_monai_writes_for_a_number_sign_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder Study ::7; MONAI reads # in a path as ::"):
        require_same_place(tmp_path / "Study ::7" / "out")


def test_folders_that_are_there_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "Study ::7").mkdir()
    require_same_place(tmp_path / "Study ::7" / "out")


def test_a_dataset_that_is_there_by_its_own_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "Patient #12").mkdir()
    with pytest.raises(InputError, match=r"Patient ::12: no such folder or datalist; MONAI reads # in a path as ::"):
        find_cases(tmp_path / "Patient ::12")

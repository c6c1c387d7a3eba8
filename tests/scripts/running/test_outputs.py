"""Tests of scripts.outputs."""

from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running.outputs import removed_on_error, require_empty, staged


@pytest.mark.parametrize("place", ["new", "new/within/new", "old"])
def test_results_appear_once_all_went_well(place: str, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "kept.txt").write_text("kept")
    output = tmp_path / place
    with staged(output) as stage:
        (stage / "a").mkdir()
        (stage / "a" / "result.txt").write_text("new")
        assert not (output / "a").exists()
    assert (output / "a" / "result.txt").read_text() == "new"
    assert (old / "kept.txt").read_text() == "kept"
    assert not list(tmp_path.rglob(".mri-attention-*"))


@pytest.mark.parametrize("place", ["new/within/new", "old"])
def test_nothing_stays_after_an_error(place: str, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with pytest.raises(RuntimeError), staged(tmp_path / place) as stage:  # noqa: PT012
        (stage / "half.txt").touch()
        raise RuntimeError
    assert [p.name for p in tmp_path.rglob("*")] == ["old"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_output_below_a_file_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), staged(tmp_path / place):
        pass


def test_only_missing_and_empty_folders_count_as_empty(tmp_path: Path) -> None:
    require_empty(tmp_path)
    require_empty(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not an empty folder"):
        require_empty(tmp_path)
    with pytest.raises(InputError, match="not an empty folder"):
        require_empty(tmp_path / "file")


@pytest.mark.parametrize("is_new", [True, False])
def test_only_a_new_folder_is_removed_on_error(is_new: bool, tmp_path: Path) -> None:
    output = tmp_path / "out"
    if not is_new:
        output.mkdir()
    with pytest.raises(RuntimeError), removed_on_error(output):  # noqa: PT012
        (output / "events").mkdir(parents=True)
        raise RuntimeError
    assert output.exists() != is_new

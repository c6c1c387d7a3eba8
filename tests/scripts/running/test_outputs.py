"""Tests of scripts.outputs."""

import os
import shutil
from pathlib import Path
from typing import IO

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running.outputs import removed_on_error, require_empty, require_new, staged


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


def test_a_file_that_came_in_the_meantime_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with pytest.raises(InputError, match=r"b.txt: another process wrote this .* stay in ") as told:  # noqa: PT012, SIM117
        with staged(output) as stage:
            for name in "ab":
                (stage / f"{name}.txt").write_text("ours")
            output.mkdir(exist_ok=True)
            (output / "b.txt").write_text("theirs")
    assert [(path.name, path.read_text()) for path in output.glob("*.txt")] == [("b.txt", "theirs")]
    assert str(stage) in str(told.value)
    assert sorted(path.read_text() for path in stage.iterdir()) == ["ours", "ours"]


@pytest.mark.parametrize("how", ["overwrite", "replaceable"])
def test_files_are_replaced_where_that_is_wanted(how: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    replaceable = {tmp_path / "a.txt"} if how == "replaceable" else set()
    with staged(tmp_path, how == "overwrite", replaceable) as stage:
        (stage / "a.txt").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_what_lies_beside_a_replaced_file_goes_with_it(tmp_path: Path) -> None:
    old = ["a.nii.gz", "a.json", "a_overview.png", "a_viewer.html", "b.nii.gz", "b.json", "c.json"]
    for name in old:
        (tmp_path / name).write_text("old")
    with staged(tmp_path, overwrite=True) as stage:
        for name in ["a.nii.gz", "a_overview.png", "b.nii.gz", "b.json", "c.nii.gz"]:
            (stage / name).write_text("new")
    found = {file.name: file.read_text() for file in tmp_path.iterdir()}
    new = dict.fromkeys(["a.nii.gz", "a_overview.png", "b.nii.gz", "b.json", "c.nii.gz"], "new")
    assert found == new | {"c.json": "old"}


def test_disks_without_hard_links_get_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr("os.link", refuse)
    with staged(tmp_path / "out") as stage:
        (stage / "a.txt").write_text("new")
    assert (tmp_path / "out" / "a.txt").read_text() == "new"
    with pytest.raises(InputError, match=r"a.txt: another process wrote"), staged(tmp_path / "out") as stage:
        (stage / "a.txt").write_text("newer")
    assert (tmp_path / "out" / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), OSError(28, "No space left on device")])
@pytest.mark.parametrize("has_links", [True, False])
def test_nothing_has_moved_where_moving_was_interrupted(
    error: BaseException, has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, copy = os.link, shutil.copyfileobj

    def stop(name: object) -> None:
        if Path(str(name)).name == "c.txt":
            raise error

    def linking(source: Path, target: Path) -> None:
        if not has_links:
            raise PermissionError(1, "not permitted")
        stop(source)
        link(source, target)

    def copying(source: IO[bytes], target: IO[bytes]) -> None:
        target.write(b"half")
        stop(source.name)
        target.seek(0)
        target.truncate()
        copy(source, target)

    monkeypatch.setattr("os.link", linking)
    monkeypatch.setattr("shutil.copyfileobj", copying)
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises((InputError, type(error))), staged(tmp_path, overwrite=True) as stage:  # noqa: PT012
        for name in "abcd":
            (stage / f"{name}.txt").write_text("new, and longer")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_results_that_are_there_are_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    require_new([tmp_path / "a"], overwrite=True)
    require_new([tmp_path / "b"], overwrite=False)
    with pytest.raises(InputError, match="a: a result is there already; set `overwrite` to true"):
        require_new([tmp_path / "b", tmp_path / "a"], overwrite=False)


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

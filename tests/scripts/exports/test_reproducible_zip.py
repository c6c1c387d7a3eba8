"""Tests of scripts.reproducible_zip."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.exports.reproducible_zip import extract_zip, write_zip


def folder_with_files(folder: Path, names: list[str], time: float, mode: int) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
        os.utime(folder / name, (time, time))
    return folder


def test_archive_depends_on_names_and_content_only(tmp_path: Path) -> None:
    names = ["a.txt", "b/c.txt", "d.txt"]
    first = folder_with_files(tmp_path / "1" / "bundle", names, 1e9, 0o600)
    second = folder_with_files(tmp_path / "2" / "bundle", names[::-1], 1.5e9, 0o755)
    write_zip(tmp_path / "1.zip", first)
    write_zip(tmp_path / "2.zip", second)
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    extract_zip(tmp_path / "1.zip", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "bundle" / "b" / "c.txt").read_text() == "b/c.txt"


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "..\\out.txt", "C:\\out.txt"])
def test_entries_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.txt", "")
        archive.writestr(name, "")
    with pytest.raises(InputError, match="leaves the folder"):
        extract_zip(tmp_path / "a.zip", tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc")
    with pytest.raises(InputError, match="'link' is a link"):
        extract_zip(tmp_path / "a.zip", tmp_path / "unpacked")


def test_absurd_sizes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.scripts.exports.reproducible_zip.MAX_BYTES", 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("large.txt", "0" * 11)
    with pytest.raises(InputError, match="unpacks to more than"):
        extract_zip(tmp_path / "a.zip", tmp_path / "unpacked")

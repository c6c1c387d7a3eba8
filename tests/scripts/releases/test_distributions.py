"""Tests of scripts.releases.distributions: archives are compared with the commit."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.releases.distributions import compare_sdist, compare_wheel, run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "bundles" / "marker").mkdir(parents=True)
    (folder / "README.md").write_text("text")
    (folder / "bundles" / "marker" / "model.pt").write_bytes(b"weights")
    return folder


def pack(source: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, "mri_attention-0.2.0")
    return archive


def wheel_of(content: dict[str, bytes], archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    return archive


def test_a_whole_source_distribution_passes(source: Path, tmp_path: Path) -> None:
    assert compare_sdist(pack(source, tmp_path / "a.tar.gz"), source) == 2


def test_a_missing_file_is_told(source: Path, tmp_path: Path) -> None:
    archive = pack(source, tmp_path / "a.tar.gz")
    (source / "tests").mkdir()
    (source / "tests" / "test_a.py").touch()
    with pytest.raises(InputError, match=r"a\.tar\.gz: tests/test_a\.py is not in it; see package-data"):
        compare_sdist(archive, source)


def test_another_file_is_told(source: Path, tmp_path: Path) -> None:
    archive = pack(source, tmp_path / "a.tar.gz")
    (source / "README.md").write_text("other")
    with pytest.raises(InputError, match=r"README\.md is another file"):
        compare_sdist(archive, source)


def test_a_wheel_has_the_bundles_and_their_weights(source: Path, tmp_path: Path) -> None:
    name = "mri_attention/bundles/marker/model.pt"
    assert compare_wheel(wheel_of({name: b"weights"}, tmp_path / "a.whl"), source) == 1
    with pytest.raises(InputError, match=r"marker/model.pt is another file"):
        compare_wheel(wheel_of({name: b"damaged"}, tmp_path / "b.whl"), source)
    with pytest.raises(InputError, match=r"marker/model.pt is not in it"):
        compare_wheel(wheel_of({}, tmp_path / "c.whl"), source)


def test_a_program_that_fails_is_told_with_its_last_lines(tmp_path: Path) -> None:
    code = "import sys; print('first'); print('why'); sys.exit(3)"
    with pytest.raises(InputError, match=r"ended with 3: first / why"):
        run([sys.executable, "-c", code], tmp_path, os.environ)
    assert run([sys.executable, "-c", "print('done')"], tmp_path, os.environ) == "done\n"

"""Tests of scripts.running.bundle."""

import importlib
import sys
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running.bundle import BUNDLES, Bundle, code_of


def test_finds_a_bundle_by_path(tiny_bundle: Path) -> None:
    assert Bundle.find(str(tiny_bundle)) == Bundle(tiny_bundle)


def test_finds_each_bundle_of_the_package_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [file.parents[1] for file in BUNDLES.glob("*/configs/metadata.json")]
    assert [Bundle.find(folder.name).folder for folder in folders] == folders


def test_unknown_bundle_is_refused() -> None:
    with pytest.raises(InputError, match="nonsense: no such bundle"):
        Bundle.find("nonsense")


def test_finds_configs_with_and_without_suffix(tiny_bundle: Path) -> None:
    files = Bundle(tiny_bundle).config_files(["train", "networks/other.yaml"])
    assert [file.name for file in files] == ["train.yaml", "other.yaml"]


def test_metadata_are_read_once(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle(tiny_bundle)
    assert bundle.version == "0.0.1"
    monkeypatch.setattr(Path, "read_text", None)
    assert bundle.metadata == {"version": "0.0.1"}


def test_each_bundle_gets_its_own_code(tmp_path: Path) -> None:
    before = list(sys.path)
    for name in ("first", "second"):
        (tmp_path / name / "scripts").mkdir(parents=True)
        (tmp_path / name / "scripts" / "__init__.py").write_text(f"NAME = {name!r}")
        with code_of(tmp_path / name):
            assert name == importlib.import_module("scripts").NAME
        assert "scripts" not in sys.modules
    assert sys.path == before

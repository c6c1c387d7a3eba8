"""Tests of scripts.running.bundle_code."""

import importlib
import sys
from pathlib import Path

from mri_attention.scripts.running.bundle_code import code_of


def test_each_bundle_gets_its_own_code(tmp_path: Path) -> None:
    before = list(sys.path)
    for name in ("first", "second"):
        (tmp_path / name / "scripts").mkdir(parents=True)
        (tmp_path / name / "scripts" / "__init__.py").write_text(f"NAME = {name!r}")
        with code_of(tmp_path / name):
            assert name == importlib.import_module("scripts").NAME
        assert "scripts" not in sys.modules
    assert sys.path == before

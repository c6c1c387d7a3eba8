"""The code of an exported bundle by the style checks of the model zoo, with the settings of its repository."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from mri_attention.scripts.exports.exported_bundle import ROOT
from mri_attention.scripts.exports.exported_configs import reached_names, renamed
from mri_attention.scripts.exports.reached_code import ReachedCode
from mri_attention.scripts.running.bundle import BUNDLES

NAMES = sorted(file.parents[1].name for file in BUNDLES.glob("*/configs/metadata.json"))
STYLES: dict[str, Sequence[str]] = {
    "black": [*("--check", "--quiet", "--skip-magic-trailing-comma", "--line-length", "120"), "--target-version=py39"],
    "isort": ["--check", "--profile", "black", "--line-length", "120", "--project", "models"],
    "flake8": [
        *("--isolated", "--select=B,C,E,F,N,P,T4,W,B9", "--max-line-length=120", "--per-file-ignores=__init__.py:F401"),
        "--ignore=E203,E501,E741,W503,W504,C408,N812,B023",
    ],
}
"""Options of each tool, as in ``setup.cfg``, ``pyproject.toml`` and ``runtests.sh`` of Project-MONAI/model-zoo."""

PLUGINS = ("bugbear", "flake8_comprehensions", "pep8ext_naming")
"""Modules of flake8's plugins there."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of all bundles, each as its export has it."""
    folder = tmp_path_factory.mktemp("models")
    for name in NAMES:
        code = ReachedCode(ROOT)
        for target in sorted(reached_names(BUNDLES / name)):
            code.follow(target)
        for path, text in code.files().items():
            file = folder / name / "scripts" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(renamed(text), encoding="utf-8")
    return folder


def checked(tool: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", tool, *STYLES[tool], str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("tool", STYLES)
def test_exported_code_passes_the_zoos_style(tool: str, exported: Path) -> None:
    missing = [name for name in (tool, *(PLUGINS if tool == "flake8" else ())) if not find_spec(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    done = checked(tool, exported)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tool", STYLES)
def test_style_that_is_none_is_found(tool: str, tmp_path: Path) -> None:
    pytest.importorskip(tool)
    (tmp_path / "bad.py").write_text("import sys\nimport os\nvalues = [ 1,2 ]\n")
    assert checked(tool, tmp_path).returncode != 0

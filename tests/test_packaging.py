"""What an installed package holds is all that the checkout has."""

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SETUPTOOLS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS: dict[str, str] = SETUPTOOLS["package-dir"]


def test_every_folder_with_python_files_is_a_package() -> None:
    folders = {
        f"{name}.{file.parent.relative_to(ROOT / top)}".replace("/", ".").removesuffix("..")
        for name, top in FOLDERS.items()
        for file in (ROOT / top).rglob("*.py")
    }
    assert folders | {"mri_attention.bundles"} == set(SETUPTOOLS["packages"])


@pytest.mark.parametrize("package", SETUPTOOLS["package-data"])
def test_every_file_that_is_no_code_is_package_data(package: str) -> None:
    folder = ROOT / package.removeprefix("mri_attention.").replace(".", "/")
    listed = subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    others = [file for file in listed.stdout.split() if is_data(folder / file)]
    assert others
    patterns = SETUPTOOLS["package-data"][package]
    assert [file for file in others if not any(fnmatch(file, pattern) for pattern in patterns)] == []


def test_every_file_beside_the_packages_is_in_the_source_distribution() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines()]
    grafted = {word for words in lines if words[:1] == ["graft"] for word in words[1:]}
    included = [word for words in lines if words[:1] == ["include"] for word in words[1:]]
    always = ["pyproject.toml", "LICENSE"]  # setuptools takes them unasked, and the modules of packages
    packed = grafted | set(FOLDERS.values())
    left = [file for file in listed.stdout.split() if not packed & {file.partition("/")[0]}]
    assert "README.md" in left
    assert [file for file in left if not any(fnmatch(file, pattern) for pattern in (*included, *always))] == []


def is_data(file: Path) -> bool:
    """Python is packed anyway, and shell scripts are for the checkout alone."""
    return file.suffix not in (".py", ".sh") and not file.read_bytes().startswith(b"#!")

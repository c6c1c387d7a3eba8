"""What the recipes of containers copy and install is there."""

import re
import shlex
import sys
from fnmatch import fnmatch
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
APPTAINER = (ROOT / "Apptainer.def").read_text(encoding="utf-8")
IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
]

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


COPIED = [source for line in instructions("COPY") if "--from" not in line for source in shlex.split(line)[:-1]]
FILES = re.search(r"^%files\n(.*?)\n\n", APPTAINER, re.MULTILINE | re.DOTALL)


def test_copied_files_are_there_and_reach_the_builder() -> None:
    for source in COPIED:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORED, source
    assert len(COPIED) == sum(line.startswith("!") for line in IGNORED)


def test_all_code_is_copied() -> None:
    needed = {*PROJECT["tool"]["setuptools"]["package-dir"].values(), PROJECT["project"]["readme"]}
    assert needed | set(PROJECT["project"]["license-files"]) <= set(COPIED)


def test_both_recipes_copy_and_install_the_same() -> None:
    assert FILES is not None
    pairs = [line.split() for line in FILES[1].splitlines()]
    assert {source for source, _ in pairs} == set(COPIED)
    assert all(target == f"/src/{source}" for source, target in pairs)
    installs = [re.sub(r"\{\{ (\w+) \}\}", r"$\1", line) for line in re.findall(r"pip (install .*)", APPTAINER)]
    assert installs == re.findall(r"pip (install .*)", DOCKERFILE)
    assert instructions("FROM")[-1] == re.search(r"^From: (.*)$", APPTAINER, re.MULTILINE)[1]  # type: ignore[index]


def test_versions_are_pinned_and_it_runs_as_no_root() -> None:
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert all("--constraint constraints.txt" in line or re.search(r"==\d", line) for line in installs)
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in instructions("FROM"))
    assert instructions("USER") == ["1000"]
    assert instructions("ENTRYPOINT") == ['["mri-attention", "bids"]']


def test_python_of_the_image_is_supported() -> None:
    version = re.search(r"python:(3\.\d+)", DOCKERFILE)
    assert version is not None
    assert version[1] in ("3.10", "3.11", "3.12")
    assert PROJECT["project"]["requires-python"] == ">=3.10,<3.14"


def test_caches_of_python_stay_outside() -> None:
    assert any(
        fnmatch("scripts/__pycache__", pattern) for pattern in IGNORED if not pattern.startswith("!") and pattern != "*"
    )


def test_pins_fit_the_requirements() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and line[0] != "#"]
    versions = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }
    for text in PROJECT["project"]["dependencies"]:
        needed = Requirement(text)
        assert needed.specifier.contains(versions[canonicalize_name(needed.name)]), text

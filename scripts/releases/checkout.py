"""The checkout of which a release is made: whether it may be, its version, and what is new in it."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from datetime import date
from pathlib import Path

from packaging.version import InvalidVersion, Version

from ...datasets import InputError

_VERSION = re.compile(r'^version = "(.+)"$', re.MULTILINE)
_CITED = re.compile(r"^version: .+$", re.MULTILINE)
_CITED_DAY = re.compile(r"^date-released: .+$", re.MULTILINE)
_HEADING = re.compile(r"^## \[(.+?)\]", re.MULTILINE)


def git(root: Path, *arguments: str) -> str:
    """Return what git prints in ``root``.

    Raises:
        InputError: if git fails.
    """
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise InputError.at(root, f"git {arguments[0]}: {done.stderr.strip()}", "run it in a checkout of this project")
    return done.stdout.strip()


def require_releasable(root: Path, version: str, may_be_tagged: bool = False) -> None:
    """Check that everything is committed, and that ``version`` is new and told in the changelog.

    Args:
        root: of the checkout.
        version: to be released.
        may_be_tagged: whether the last commit may have its tag already.

    Raises:
        InputError: names what is not so.
    """
    if changed := git(root, "status", "--porcelain", "-z"):
        file = changed.partition("\0")[0].partition(" ")[2].strip()
        raise InputError.at(root / file, "is not as in the last commit", "commit or remove it")
    new, present = _parsed(version), present_version(root)
    if new < _parsed(present):
        raise InputError.at(version, f"is older than the present version {present}", "give a later one")
    tags = git(root, "tag", "--points-at", "HEAD").split() if may_be_tagged else []
    if f"v{version}" not in tags and git(root, "tag", "--list", f"v{version}"):
        raise InputError.at(version, f"the tag v{version} is there already", "give a later one")
    notes_of(root, version)
    for metadata in sorted(root.glob("bundles/*/configs/metadata.json")):
        _require_told(metadata)


def _parsed(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion as error:
        raise InputError.at(version, "is no version", "give such as 0.2.0") from error


def _require_told(metadata: Path) -> None:
    from ..running.bundle import Bundle

    content = Bundle(metadata.parents[1]).metadata
    latest = max(content["changelog"], key=Version)
    if content["version"] != latest:
        problem = f"version {content['version']}, but the last line of its changelog is {latest}"
        raise InputError.at(metadata, problem, "make them the same")


def present_version(root: Path) -> str:
    """Return the version in ``pyproject.toml``."""
    found = _VERSION.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise InputError.at(root / "pyproject.toml", 'has no line version = "..."', "add it below [project]")
    return found[1]


def notes_of(root: Path, version: str) -> str:
    """Return the section of ``CHANGELOG.md`` on ``version``, without its heading.

    Raises:
        InputError: if there is none, or nothing in it.
    """
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = [*_HEADING.finditer(text)]
    starts = [heading.start() for heading in headings] + [len(text)]
    sections = {h[1]: text[h.start() : end] for h, end in zip(headings, starts[1:], strict=True)}
    notes = sections.get(version, "").partition("\n")[2].strip()
    if not notes:
        known = ", ".join(sections) or "none"
        problem = f"tells nothing of {version}, but of {known}"
        raise InputError.at(root / "CHANGELOG.md", problem, f"write ## [{version}] - YYYY-MM-DD and what is new")
    return notes


def set_version(root: Path, version: str, day: date) -> list[Path]:
    """Write ``version`` to where it stands: ``pyproject.toml`` and ``CITATION.cff``, there with the day."""
    project, citation = root / "pyproject.toml", root / "CITATION.cff"
    text = project.read_text(encoding="utf-8")
    project.write_text(_VERSION.sub(f'version = "{version}"', text, count=1), encoding="utf-8")
    text = _CITED.sub(f"version: {version}", citation.read_text(encoding="utf-8"))
    citation.write_text(_CITED_DAY.sub(f"date-released: {day.isoformat()}", text), encoding="utf-8")
    return [project, citation]


def copy_commit(root: Path, folder: Path) -> None:
    """Write the files of the last commit into ``folder``."""
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")

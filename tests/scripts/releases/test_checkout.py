"""Tests of scripts.releases.checkout: what may be released, and where its version is written."""

from __future__ import annotations

import json
import subprocess
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.releases import __main__ as release_command
from mri_attention.scripts.releases.checkout import copy_commit, git, notes_of, require_releasable, set_version

CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\n## [0.3.0] - 2026-11-30\n\n### Added\n\n- One thing.\n\n## [0.2.0]\n\n- All.\n"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one bundle and one commit."""
    root = tmp_path / "checkout"
    configs = root / "bundles" / "marker" / "configs"
    configs.mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "marker"\nversion = "0.2.0"\n\n[tool.other]\nversion = "7"\n'
    )
    (root / "CITATION.cff").write_text("cff-version: 1.2.0\nversion: 0.2.0\ndate-released: 2020-01-01\n")
    (root / "CHANGELOG.md").write_text(CHANGELOG)
    (configs / "metadata.json").write_text(json.dumps({"version": "0.1.10", "changelog": {"0.1.9": "", "0.1.10": ""}}))
    subprocess.run(["git", "init", "--quiet", root], check=True)
    commit(root)
    return root


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "Commit")


def test_a_committed_version_of_which_the_changelog_tells_may_be_released(checkout: Path) -> None:
    require_releasable(checkout, "0.3.0")
    require_releasable(checkout, "0.2.0")


def test_notes_are_the_section_of_the_version(checkout: Path) -> None:
    assert notes_of(checkout, "0.3.0") == "### Added\n\n- One thing."


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.1.0", "0.1.0: is older than the present version 0.2.0; give a later one"),
        ("next", "next: is no version; give such as 0.2.0"),
        ("0.4.0", r"CHANGELOG.md: tells nothing of 0.4.0, but of Unreleased, 0.3.0, 0.2.0; write ## \[0.4.0\]"),
        ("Unreleased", "is no version"),
    ],
)
def test_other_versions_are_refused(version: str, message: str, checkout: Path) -> None:
    with pytest.raises(InputError, match=message):
        require_releasable(checkout, version)


@pytest.mark.parametrize("name", ["new.txt", "a new one.txt", "größe.txt", "CHANGELOG.md", "new/one.txt"])
@pytest.mark.parametrize("is_staged", [False, True])
def test_changes_that_are_not_committed_are_refused(name: str, is_staged: bool, checkout: Path) -> None:
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("changed")
    if is_staged:
        git(checkout, "add", "--all")
    told = checkout / (name if is_staged else name.replace("one.txt", "", name.startswith("new/")))
    with pytest.raises(InputError) as error:
        require_releasable(checkout, "0.3.0")
    assert str(error.value) == f"{told}: is not as in the last commit; commit or remove it"


def test_a_tag_is_given_once(checkout: Path) -> None:
    git(checkout, "tag", "v0.3.0")
    with pytest.raises(InputError, match=r"the tag v0.3.0 is there already"):
        require_releasable(checkout, "0.3.0")
    require_releasable(checkout, "0.3.0", may_be_tagged=True)
    (checkout / "CHANGELOG.md").write_text(CHANGELOG + "- More.\n")
    commit(checkout)
    with pytest.raises(InputError, match=r"the tag v0.3.0 is there already"):
        require_releasable(checkout, "0.3.0", may_be_tagged=True)


def test_a_bundle_has_the_last_version_of_its_changelog(checkout: Path) -> None:
    metadata = checkout / "bundles" / "marker" / "configs" / "metadata.json"
    metadata.write_text(json.dumps({"version": "0.1.9", "changelog": {"0.1.9": "", "0.1.10": ""}}))
    commit(checkout)
    with pytest.raises(InputError, match=r"version 0.1.9, but the last line of its changelog is 0.1.10"):
        require_releasable(checkout, "0.3.0")


@pytest.mark.parametrize("is_whole", [True, False])
def test_files_of_a_release_appear_all_or_none(
    is_whole: bool, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(source: Path, made: Path, *others: object) -> None:
        (made / "wheel.whl").touch()

    def fail(source: Path, made: Path, *others: object) -> None:
        if not is_whole:
            raise KeyboardInterrupt

    monkeypatch.chdir(checkout)
    monkeypatch.setattr(release_command, "_make_distributions", make)
    monkeypatch.setattr(release_command, "_make_bundles", fail)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="below: cannot be written"):
        release_command.release("0.3.0", True, tmp_path / "file" / "below")
    with nullcontext() if is_whole else pytest.raises(KeyboardInterrupt):
        release_command.release("0.3.0", True, tmp_path / "dist")
    found = sorted(file.name for file in tmp_path.glob("dist/*"))
    assert found == (["NOTES.md", "wheel.whl"] if is_whole else [])
    assert not git(checkout, "status", "--porcelain")


def test_what_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"git status: .*; run it in a checkout"):
        require_releasable(tmp_path, "0.3.0")


def test_the_version_is_written_where_it_stands(checkout: Path) -> None:
    set_version(checkout, "0.3.0", date(2026, 12, 1))
    assert (checkout / "pyproject.toml").read_text().count('version = "0.3.0"') == 1
    assert 'version = "7"' in (checkout / "pyproject.toml").read_text()
    expected = "cff-version: 1.2.0\nversion: 0.3.0\ndate-released: 2026-12-01\n"
    assert (checkout / "CITATION.cff").read_text() == expected


def test_the_copy_is_of_the_commit(checkout: Path, tmp_path: Path) -> None:
    (checkout / "new.txt").touch()
    (checkout / "CHANGELOG.md").unlink()
    copy_commit(checkout, tmp_path / "copy")
    assert (tmp_path / "copy" / "CHANGELOG.md").read_text() == CHANGELOG
    assert not (tmp_path / "copy" / "new.txt").exists()

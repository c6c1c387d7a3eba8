"""A dry run of the whole release: files, and a checkout that is as before."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from mri_attention.datasets import InputError
from mri_attention.scripts.releases.__main__ import require_sound, write_sums
from mri_attention.scripts.releases.checkout import git, present_version

ROOT = Path(__file__).resolve().parents[3]
BUNDLES = sorted(path.parent.name for path in ROOT.glob("bundles/*/configs"))


def test_sums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"abc")
    write_sums(tmp_path / "SHA256SUMS", [tmp_path / "a.zip"])
    assert (tmp_path / "SHA256SUMS").read_text() == f"{hashlib.sha256(b'abc').hexdigest()}  a.zip\n"


def test_a_bundle_that_fails_a_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"required files: missing: configs/metadata.json, LICENSE"):
        require_sound(tmp_path)


def test_the_citation_is_one_of_this_version() -> None:
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= content.keys()
    assert content["version"] == present_version(ROOT)
    assert content["authors"] == [{"name": "MRI Attention developers"}]
    assert len(content["references"]) == 4
    for reference in content["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys()
        assert all({"name"} == a.keys() or {"given-names", "family-names"} == a.keys() for a in reference["authors"])


def test_the_workflow_has_no_secret() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert set(workflow["jobs"]) == {"build", "attach", "publish"}
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    steps = [step.get("run", "") for step in workflow["jobs"]["build"]["steps"]]
    assert any(step.startswith("scripts/release ") and "--dry-run" in step for step in steps)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_dry_run_makes_all_files_and_changes_nothing(tmp_path: Path) -> None:
    checkout, output = tmp_path / "checkout", tmp_path / "dist"
    if subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)]).returncode:
        pytest.skip("not a git checkout")
    version = present_version(checkout)
    if f"## [{version}]" not in (checkout / "CHANGELOG.md").read_text(encoding="utf-8"):
        pytest.skip(f"the changelog has no section on {version}")
    command = [sys.executable, "-m", "mri_attention.scripts.releases", version]
    done = subprocess.run(
        [*command, "--dry-run", "--borrow", "--output", str(output)], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "log", "-1", "--format=%H") == git(ROOT, "log", "-1", "--format=%H")
    names = {file.name for file in output.iterdir()}
    archives = {name for name in names if name.endswith(".zip")}
    assert sorted(name.partition("_v")[0] for name in archives) == BUNDLES
    distributions = {f"mri_attention-{version}-py3-none-any.whl", f"mri_attention-{version}.tar.gz"}
    assert names == archives | distributions | {"SHA256SUMS", "NOTES.md", "hugging_face", "model_zoo"}
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=output)
    assert checked.returncode == 0
    with tarfile.open(output / f"mri_attention-{version}.tar.gz") as sdist:
        assert f"mri_attention-{version}/tests/scripts/releases/test_release.py" in sdist.getnames()
    for name in BUNDLES:
        assert (output / "model_zoo" / "models" / name / "configs" / "inference.json").is_file()
        card = (output / "hugging_face" / name / "README.md").read_text(encoding="utf-8")
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", card):
            assert (output / "hugging_face" / name / picture).is_file()

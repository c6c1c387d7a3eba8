"""Checks of a bundle's files and of its metadata."""

from __future__ import annotations

import re
from pathlib import Path

from ...handlers.weights import sha256
from ..running.bundle import Bundle
from ..running.config_files import SUFFIXES, read_config
from .metadata_rules import METADATA, NEWEST_SCHEMA, OLDER_NAMES, OLDER_SCHEMA, VERSIONS
from .outcome import Outcome, failed, listed, passed, skipped, told, warned

EXACT = re.compile(r"\d+(\.\w+)*([+-][\w.]+)?")

MAX_BYTES = 25 * 2**20
"""Size of a file that the model zoo takes."""


def check_required_files(bundle: Path) -> Outcome:
    """Check that what the model zoo demands is there: metadata, license, readme, inference config, weights."""
    missing = [name for name in ("configs/metadata.json", "LICENSE") if not (bundle / name).is_file()]
    if not any((bundle / "configs" / f"inference{suffix}").is_file() for suffix in SUFFIXES):
        missing.append("configs/inference.yaml")
    if not (bundle / "models" / "model.pt").is_file() and "models/model.pt" not in large_files(bundle):
        missing.append("models/model.pt (or large_files.yml)")
    large = [p for p in bundle.rglob("*") if p.is_file() and p.stat().st_size > MAX_BYTES]
    if missing:
        return failed(f"missing: {', '.join(missing)}")
    if not (bundle / "docs" / "README.md").is_file():
        return warned("docs/README.md is missing, of which the model zoo makes the bundle's page")
    if large:
        return warned(f"{large[0].relative_to(bundle)} is larger than the 25 MB that the model zoo takes")
    return passed("metadata, license, readme, inference config and weights are there")


def large_files(bundle: Path) -> list[str]:
    """Return the files that ``large_files.yml`` (or ``.yaml``, ``.json``) has from elsewhere, which MONAI downloads."""
    files = (bundle / f"large_files{suffix}" for suffix in SUFFIXES)
    listed_in = next((file for file in files if file.is_file()), None)
    content = read_config(listed_in) if listed_in else {}
    return [str(entry.get("path")) for entry in content.get("large_files", [])]


def check_metadata(bundle: Path) -> Outcome:
    """Check ``metadata.json`` by the rules of the zoo's schema."""
    from jsonschema import Draft202012Validator

    given = Bundle(bundle).metadata
    metadata = {OLDER_NAMES[name]: value for name, value in given.items() if name in OLDER_NAMES} | given
    errors = sorted(Draft202012Validator(METADATA).iter_errors(metadata), key=lambda error: error.json_path)
    problems = [f"{error.json_path.removeprefix('$.')}: {error.message[:200]}" for error in errors]
    if problems and OLDER_SCHEMA.search(str(given.get("schema"))):  # by which the zoo checks it
        return warned(f"by the rules of {NEWEST_SCHEMA}, newer than its own: {listed(problems)}")
    if older := [f"{name} is called {OLDER_NAMES[name]} now" for name in OLDER_NAMES if name in given]:
        return failed(listed(problems)) if problems else warned(listed(older))
    return told(problems, f"version {metadata.get('version')}, all fields that the model zoo demands")


def check_changelog(bundle: Path) -> Outcome:
    """Check that the version is told in the changelog."""
    metadata = Bundle(bundle).metadata
    version, changelog = metadata.get("version"), metadata.get("changelog", {})
    if version in changelog:
        return passed(f"{version}: {changelog[version]}")
    return failed(f"no line for version {version}, only for {', '.join(changelog) or 'none'}")


def check_versions(bundle: Path) -> Outcome:
    """Check that the versions of packages are exact: the zoo installs ``monai==VERSION``, and ranges of packages."""
    metadata = Bundle(bundle).metadata
    own = {name: str(metadata.get(name)) for name in VERSIONS}
    lists = [metadata.get(key, {}) for key in ("optional_packages_version", "required_packages_version")]
    packages = {name: str(version) for versions in lists for name, version in versions.items()}
    if vague := [f"{name} {version}" for name, version in own.items() if not EXACT.fullmatch(version)]:
        return failed(listed(vague))
    if vague := [f"{name} {version}" for name, version in packages.items() if not EXACT.fullmatch(version)]:
        are_ranges = all(version.partition(" ")[2][:1] in "<>=" for version in vague)
        return (warned if are_ranges else failed)(listed(vague))
    return passed(f"{len(own) + len(packages)} exact versions")


def check_hashes(bundle: Path) -> Outcome:
    """Check the weights against the SHA-256 in the metadata."""
    hashes = Bundle(bundle).metadata.get("weights_sha256")
    if hashes is None:
        return skipped("the metadata tell no weights_sha256 (add it)")
    wrong = [n for n, h in hashes.items() if not (bundle / n).is_file() or sha256(bundle / n) != h]
    return failed(f"not what the metadata tell: {listed(wrong)}") if wrong else passed(", ".join(hashes))

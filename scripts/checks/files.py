"""Checks of a bundle's files and of its metadata."""

from __future__ import annotations

import re
from pathlib import Path

from ...handlers.weights import sha256
from ..running.bundle import Bundle
from ..running.config_files import SUFFIXES
from .metadata_rules import METADATA, VERSIONS
from .outcome import Outcome, failed, listed, passed, skipped, told, warned

MAX_BYTES = 25 * 2**20
"""Size of a file that the model zoo takes."""


def check_required_files(bundle: Path) -> Outcome:
    """Check that what the model zoo demands is there: metadata, license, readme, inference config, weights."""
    missing = [name for name in ("configs/metadata.json", "LICENSE", "docs/README.md") if not (bundle / name).is_file()]
    if not any((bundle / "configs" / f"inference{suffix}").is_file() for suffix in SUFFIXES):
        missing.append("configs/inference.yaml")
    if not (bundle / "models" / "model.pt").is_file() and not list(bundle.glob("large_files.*")):
        missing.append("models/model.pt (or large_files.yml)")
    large = [p for p in bundle.rglob("*") if p.is_file() and p.stat().st_size > MAX_BYTES]
    if missing:
        return failed(f"missing: {', '.join(missing)}")
    if large:
        return warned(f"{large[0].relative_to(bundle)} is larger than the 25 MB that the model zoo takes")
    return passed("metadata, license, readme, inference config and weights are there")


def check_metadata(bundle: Path) -> Outcome:
    """Check ``metadata.json`` by the rules of the zoo's schema."""
    from jsonschema import Draft202012Validator

    metadata = Bundle(bundle).metadata
    errors = sorted(Draft202012Validator(METADATA).iter_errors(metadata), key=lambda error: error.json_path)
    problems = [f"{error.json_path.removeprefix('$.')}: {error.message[:200]}" for error in errors]
    return told(problems, f"version {metadata.get('version')}, all fields that the model zoo demands")


def check_changelog(bundle: Path) -> Outcome:
    """Check that the version is told in the changelog."""
    metadata = Bundle(bundle).metadata
    version, changelog = metadata.get("version"), metadata.get("changelog", {})
    if version in changelog:
        return passed(f"{version}: {changelog[version]}")
    return failed(f"no line for version {version}, only for {', '.join(changelog) or 'none'}")


def check_versions(bundle: Path) -> Outcome:
    """Check that the versions of packages are exact."""
    metadata = Bundle(bundle).metadata
    versions = {name: metadata.get(name) for name in VERSIONS} | metadata.get("required_packages_version", {})
    vague = [f"{k} {v}" for k, v in versions.items() if not re.fullmatch(r"\d+(\.\w+)+([+-][\w.]+)?", str(v))]
    return told(vague, f"{len(versions)} exact versions")


def check_hashes(bundle: Path) -> Outcome:
    """Check the weights against the SHA-256 in the metadata."""
    hashes = Bundle(bundle).metadata.get("weights_sha256")
    if hashes is None:
        return skipped("the metadata tell no weights_sha256 (add it)")
    wrong = [n for n, h in hashes.items() if not (bundle / n).is_file() or sha256(bundle / n) != h]
    return failed(f"not what the metadata tell: {listed(wrong)}") if wrong else passed(", ".join(hashes))

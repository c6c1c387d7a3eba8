"""The command ``check``: everything that a bundle must satisfy, one line each."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .exports.reproducible_zip import extract_zip
from .running.bundle import Bundle
from .running.outputs import staged
from .running.records import write_json
from .terminal.console import announce, console


def check(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, its folder, or its .zip.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report here, too.")] = None,
    verbose: Annotated[bool, typer.Option(help="List every expression and target of the configs.")] = False,
    trust: Annotated[
        bool, typer.Option(help="Run the bundle's own code, and what the security report objects to.")
    ] = False,
) -> int:
    """Check BUNDLE, yours or anybody's: files, metadata, configs, network, weights, security."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = _folder(bundle, Path(temporary))
        announce(f"Checking {folder.name}")
        from .checks.all_checks import check_bundle
        from .checks.security_report import security_report

        outcomes = {}
        for name, outcome in check_bundle(folder, trust=trust):
            outcomes[name] = outcome
            console().print(f"{outcome.status}  {name}: {outcome.reason}")
        try:
            findings = security_report(folder)
        except InputError:  # told by the checks
            findings = []
    if verbose:
        for finding in findings:
            reason = f"  ({finding.reason})" if finding.reason else ""
            console().print(f"{finding.level:8}{finding.file} {finding.place}: {finding.text}{reason}")
    counts = Counter(outcome.status for outcome in outcomes.values())
    console().print(", ".join(f"{counts[status]} {status}" for status in ("PASS", "WARN", "FAIL", "SKIP")))
    if json_file:
        checks = [{"check": name, **asdict(outcome)} for name, outcome in outcomes.items()]
        report = {"bundle": folder.name, "checks": checks, "expressions": [asdict(finding) for finding in findings]}
        with staged(json_file.parent, overwrite=True) as stage:
            write_json(report, stage / json_file.name)
    return 1 if counts["FAIL"] else 0


def _folder(bundle: str, temporary: Path) -> Path:
    """Return the folder of ``bundle``, unpacked if it is a .zip; a check will tell if a folder lacks its metadata.

    Raises:
        InputError: if there is no such bundle or .zip, or that would leave the folder, or holds no bundle.
    """
    if not bundle.endswith(".zip"):
        return Path(bundle).resolve() if (Path(bundle) / "configs").is_dir() else Bundle.find(bundle).folder
    if not Path(bundle).is_file():
        raise InputError.at(bundle, "no such file", "give a bundle's folder or its .zip")
    extract_zip(Path(bundle), temporary)
    found = sorted(file.parents[1] for file in temporary.rglob("configs/metadata.json"))
    if not found:
        raise InputError.at(bundle, "holds no configs/metadata.json", "give the .zip of a bundle")
    return found[0]

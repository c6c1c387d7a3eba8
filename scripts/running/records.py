"""Records: what a result was made with, to be written beside it, and JSON files."""

from __future__ import annotations

import datetime
import json
import math
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...datasets import write_description
from .bundle import Bundle

PACKAGES = ("mri-attention", "torch", "monai", "pytorch-ignite", "numpy", "scipy", "nibabel")


def describe_run(
    bundle: Bundle, configs: Sequence[str], dataset_dir: Path, models: Mapping[str, Path | None]
) -> dict[str, Any]:
    """Return bundle, configs, weights (with their SHA-256), dataset, command, versions and time of a run."""
    from ...handlers.weights import sha256

    return {
        "bundle": bundle.name,
        "bundle_version": bundle.version,
        "configs": [_name_of(file, bundle.folder) for file in bundle.config_files(configs)],
        "models": {
            name: {"file": str(model), "sha256": sha256(model)} if model else None for name, model in models.items()
        },
        "dataset": str(dataset_dir),
        "command": shlex.join(["mri-attention", *sys.argv[1:]]),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def _name_of(config: Path, folder: Path) -> str:
    return str(config.relative_to(folder) if config.is_relative_to(folder) else config)


def write_derivative_description(
    bundle: Bundle, output_dir: Path, goes_to: Path, made_from: Mapping[str, str] | None = None
) -> None:
    """Write BIDS' ``dataset_description.json`` of what ``bundle`` made in ``output_dir``.

    Args:
        bundle: what made it.
        output_dir: the folder, which is to move.
        goes_to: where it moves. A description that is there stays, with the bundle among the makers of a derivative.
        made_from: digests of what results were made from, by their paths.
    """
    made_by = {"Name": bundle.name, "Version": bundle.version}
    there = goes_to / "dataset_description.json"
    digests = {"ResultsMadeFrom": dict(made_from)} if made_from else {}
    if not there.is_file():
        write_description(output_dir, f"Results of {bundle.name}", generated_by=made_by, **digests)
        return
    try:
        content = json.loads(there.read_text(encoding="utf-8-sig"))
        makers = [maker for maker in content["GeneratedBy"] if maker != made_by]
        known = content.get("ResultsMadeFrom", {}) | digests.get("ResultsMadeFrom", {})
        fields = {"GeneratedBy": [*makers, made_by], **({"ResultsMadeFrom": known} if known else {})}
        write_json(content | fields, output_dir / there.name)
    except (OSError, ValueError, TypeError, KeyError):  # a description of somebody else, which is theirs
        return


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write ``content``, None in the place of every NaN, which JSON does not have."""
    text = json.dumps(without_nan(content), indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def without_nan(content: Any) -> Any:
    """Return ``content``, of dictionaries, lists and values, with None in the place of every NaN."""
    if isinstance(content, dict):
        return {name: without_nan(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content

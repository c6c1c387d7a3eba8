"""What results were made from, kept in the description of their folder: the same again replaces nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...datasets import Case
from .configuration import Configuration
from .outputs import require_new

KEY = "ResultsMadeFrom"
"""In ``dataset_description.json``: digests by the paths of results."""


def digests(configuration: Configuration, cases: Sequence[Case], given: Mapping[str, Any]) -> list[str]:
    """Return for each case a digest of its files, the configs, the weights and the settings, by path, size and time."""
    weights = str(configuration.value("model_file")) if "model_file" in configuration else ""
    settings = sorted((name, str(value)) for name, value in given.items() if name != "selection")
    shared = [
        configuration.bundle.name,
        repr(settings),
        *_states([*configuration.files, weights]),
    ]
    files = [[*case.images, case.mask, case.kspace, case.reference, *case.phase, *case.magnitude] for case in cases]
    gaps = [[f"no image {n}" for n, image in enumerate(case.image) if image is None] for case in cases]
    return [
        _digest([*shared, *_states(filter(None, of_case)), *without])
        for of_case, without in zip(files, gaps, strict=True)
    ]


def require_new_or_same(
    configuration: Configuration, cases: Sequence[Case], of_cases: Sequence[str], output_dir: Path, overwrite: bool
) -> set[Path]:
    """Check, before any work, that results of the cases are not in ``output_dir``, or were made from the same.

    Returns:
        Files beside those that were made from the same, which may be replaced.

    Raises:
        InputError: if there is a result of something else.
    """
    known, beside = _recorded(output_dir), set[Path]()
    for case, digest in zip(cases, of_cases, strict=True):
        there = [path for path in _result_paths(configuration, case, output_dir) if path.exists()]
        require_new((path for path in there if known.get(str(path.relative_to(output_dir))) != digest), overwrite)
        beside |= {file for path in there for file in path.parent.iterdir()}
    return beside


def _result_paths(configuration: Configuration, case: Case, output_dir: Path) -> Iterator[Path]:
    """Yield what the transforms after the network may write, where the bundle has such."""
    steps = (
        getattr(configuration.value("postprocessing"), "transforms", ()) if "postprocessing" in configuration else ()
    )
    images = [*case.images, *filter(None, [case.reference])]
    for step in steps:
        if hasattr(step, "paths_for"):
            yield from step.paths_for(images, output_dir, case.others.get("result_prefix", ""))


def _recorded(output_dir: Path) -> dict[str, str]:
    try:
        content = json.loads((output_dir / "dataset_description.json").read_text(encoding="utf-8-sig"))
        return dict(content[KEY])
    except (OSError, ValueError, TypeError, KeyError):  # results of somebody else, or none
        return {}


def _states(paths: Iterable[Any]) -> Iterator[str]:
    for path in map(Path, paths):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                status = file.stat()
                yield f"{file.absolute()} {status.st_size} {status.st_mtime_ns}"


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]

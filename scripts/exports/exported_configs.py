"""Configs of a bundle that carries its code as the package ``scripts``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...datasets import InputError
from ..running.config_files import expressions, list_configs, read_config, targets

PACKAGE, EXPORTED = "mri_attention", "scripts"

SEARCH_PATH = ["$import sys", "$sys.path.insert(0, @bundle_root)"]
"""First steps of ``initialize``: MONAI adds a bundle's folder to the search path later, not in front, and
``MonaiAlgo``, which runs no workflow, not at all."""

_BEGINNINGS = {
    "initialize:\n- ": "initialize:\n- {}\n- {}  # of the package scripts; MONAI adds it later\n- ".format(
        *SEARCH_PATH
    ),
    "initialize: [": 'initialize: [{}, "{}", '.format(*SEARCH_PATH),
}
_INITIALIZE = re.compile(r"^initialize:(?:\n- | \[)", re.MULTILINE)

JSON_NAMES = {"train": ["train"], "inference": ["inference"], "evaluate": ["inference", "evaluate"]}
"""What ``load``, ``MonaiAlgo`` and MONAI Deploy look for by default, and the configs of which it is made."""

AS_VALIDATION: dict[str, Any] = {
    "dataset": {"data": "@cases"},
    "evaluator": "@evaluator",
    "early_stopper": None,
    "handlers": [],
}
"""The section ``validate`` of an evaluation: what follows ``train`` is asked for the evaluator there."""


def reached_names(bundle: Path) -> set[str]:
    """Return dotted names below ``mri_attention`` that the configs of ``bundle`` have as targets."""
    names = (name.partition(".") for file in list_configs(bundle) for _, name in targets(read_config(file)))
    return {rest for package, _, rest in names if package == PACKAGE}


def exported_configs(bundle: Path) -> dict[str, str]:
    """Return the text of each config by its path in ``bundle``, comments too, for code in ``scripts``.

    Raises:
        InputError: if ``initialize`` is no list, or an expression names this package: an import fails before the
            bundle's folder is on the search path, and one that failed stays failed; a target is imported when used.
    """
    return {str(file.relative_to(bundle)): _exported(file) for file in list_configs(bundle)}


def json_configs(bundle: Path) -> dict[str, str]:
    """Return ``configs/NAME.json`` of ``configs/NAME.yaml``, for programs of MONAI that look for these files alone.

    ``evaluate`` is complete, so that it may follow ``train``, as in the model zoo, or ``inference``.

    Raises:
        InputError: if two configs do not fit together.
    """
    configs = bundle / "configs"
    texts = {}
    for name, parts in JSON_NAMES.items():
        files = [configs / f"{part}.yaml" for part in parts]
        if all(file.is_file() for file in files):
            content = _merged(files)
            if name == "evaluate":
                content["validate"] = AS_VALIDATION
            texts[f"configs/{name}.json"] = _as_json(content)
    return texts


def monailabel_configs(bundle: Path) -> dict[str, str]:
    """Return ``configs/monailabel/NAME.json`` of ``configs/NAME.yaml`` and the overlay in ``configs/monailabel/``.

    MONAI Label's app reads one file.

    Raises:
        InputError: if the two do not fit together.
    """
    configs = bundle / "configs"
    overlays = sorted((configs / "monailabel").glob("*.yaml"))
    return {f"configs/monailabel/{o.stem}.json": _as_json(_merged([configs / o.name, o])) for o in overlays}


def _merged(files: Sequence[Path]) -> dict[str, Any]:
    from monai.bundle import ConfigParser

    try:
        merged: dict[str, Any] = ConfigParser.load_config_files([str(file) for file in files])
    except (OSError, KeyError, ValueError) as error:  # an overlay changes an id that is not there
        base, overlay = files[0], files[-1].relative_to(files[0].parent)
        problem = f"does not fit {base.name} of the bundle ({error})"
        raise InputError.at(overlay, problem, "correct one of them, or get the bundle anew") from error
    return merged


def _as_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def renamed(text: str) -> str:
    """Return ``text`` with the package's name in the exported bundle."""
    return text.replace(f"{PACKAGE}.", f"{EXPORTED}.")


def _exported(file: Path) -> str:
    content = read_config(file)
    for place, text in expressions(content):
        if PACKAGE in text:
            remedy = f"write {{_target_: {PACKAGE}.a.b, ...}}, with _mode_: callable for a function as it is"
            raise InputError.at(f"{file} {place}", f"names {PACKAGE} in an expression, ${text}", remedy)
    return renamed(_with_search_path(file, content) if "initialize" in content else file.read_text(encoding="utf-8"))


def _with_search_path(file: Path, content: dict[str, Any]) -> str:
    if file.suffix == ".json" and isinstance(content["initialize"], list):
        return _as_json(content | {"initialize": [*SEARCH_PATH, *content["initialize"]]})
    text, n_found = _INITIALIZE.subn(
        lambda found: _BEGINNINGS[found[0]].format(*SEARCH_PATH), file.read_text(encoding="utf-8")
    )
    if n_found != 1:
        raise InputError.at(f"{file} initialize", "is no list of steps", "write `initialize: [...]`, or a step a line")
    return text

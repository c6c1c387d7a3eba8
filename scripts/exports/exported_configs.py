"""Configs of a bundle that carries its code as the package ``scripts``."""

from __future__ import annotations

import json
from pathlib import Path

from ...datasets import InputError
from ..running.config_files import expressions, list_configs, read_config, targets

PACKAGE, EXPORTED = "mri_attention", "scripts"

SEARCH_PATH = "- $import sys\n- $sys.path.insert(0, @bundle_root)  # of the package scripts; MONAI adds it later\n"
"""First steps of ``initialize``: MONAI adds a bundle's folder to the search path after that, and not in front."""


def reached_names(bundle: Path) -> set[str]:
    """Return dotted names below ``mri_attention`` that the configs of ``bundle`` have as targets."""
    names = (name.partition(".") for file in list_configs(bundle) for _, name in targets(read_config(file)))
    return {rest for package, _, rest in names if package == PACKAGE}


def exported_configs(bundle: Path) -> dict[str, str]:
    """Return the text of each config by its path in ``bundle``, comments too, for code in ``scripts``.

    Raises:
        InputError: if an expression names this package: an import fails before the bundle's folder is on the search
            path, and one that failed stays failed; a target is imported when it is used.
    """
    return {str(file.relative_to(bundle)): _exported(file) for file in list_configs(bundle)}


def monailabel_configs(bundle: Path) -> dict[str, str]:
    """Return ``configs/NAME.json`` of ``configs/NAME.yaml`` and ``configs/monailabel/NAME.yaml``, where that is.

    MONAI Label's app reads one file, and looks for JSON first.

    Raises:
        InputError: if the two do not fit together.
    """
    from monai.bundle import ConfigParser

    configs = bundle / "configs"
    texts = {}
    for overlay in sorted((configs / "monailabel").glob("*.yaml")):
        try:
            merged = ConfigParser.load_config_files([str(configs / overlay.name), str(overlay)])
        except (OSError, KeyError, ValueError) as error:  # an overlay changes an id that is not there
            problem = f"does not fit {overlay.name} of the bundle ({error})"
            raise InputError.at(
                f"monailabel/{overlay.name}", problem, "correct one of them, or get the bundle anew"
            ) from error
        texts[f"configs/{overlay.stem}.json"] = json.dumps(merged, indent=2, ensure_ascii=False) + "\n"
    return texts


def renamed(text: str) -> str:
    """Return ``text`` with the package's name in the exported bundle."""
    return text.replace(f"{PACKAGE}.", f"{EXPORTED}.")


def _exported(file: Path) -> str:
    for place, text in expressions(read_config(file)):
        if PACKAGE in text:
            remedy = f"write {{_target_: {PACKAGE}.a.b, ...}}, with _mode_: callable for a function as it is"
            raise InputError.at(f"{file} {place}", f"names {PACKAGE} in an expression, ${text}", remedy)
    return renamed(file.read_text(encoding="utf-8")).replace("\ninitialize:\n- ", f"\ninitialize:\n{SEARCH_PATH}- ")

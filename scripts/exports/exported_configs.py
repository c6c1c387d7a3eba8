"""Configs of a bundle that carries its code as the package ``scripts``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...datasets import InputError
from ..running.config_files import expressions, list_configs, read_config, targets

PACKAGE, EXPORTED = "mri_attention", "scripts"

_IMPORT = re.compile(rf"^- \$from {PACKAGE}\.([\w.]+) import (\w+)[ \t]*(?:#.*)?\n", re.MULTILINE)
_IMPORTED = re.compile(rf"from {PACKAGE}\.([\w.]+) import (\w+)$")
_EMPTY_IMPORTS = re.compile(r"^\+?imports:[ \t]*\n(?=\S|\Z)(?!- )", re.MULTILINE)
_INITIALIZE = re.compile(r"^initialize:[ \t]*\n(?=- )", re.MULTILINE)
_SEARCH_PATH = "- $import sys\n- $sys.path.insert(0, @bundle_root)  # of the package scripts; MONAI adds it later\n"


def reached_names(bundle: Path) -> set[str]:
    """Return dotted names below ``mri_attention`` that the configs of ``bundle`` use."""
    names: set[str] = set()
    for file in list_configs(bundle):
        content = read_config(file)
        texts = [text for _, text in (*expressions(content), *targets(content))]
        for text in texts:
            if found := _IMPORTED.match(text):
                names.add(f"{found[1]}.{found[2]}")
            else:
                names |= set(re.findall(rf"\b{PACKAGE}\.([\w.]+)", text))
    return names


def exported_configs(bundle: Path) -> dict[str, str]:
    """Return the text of each config by its path in ``bundle``, for code in ``scripts``.

    MONAI adds a bundle's folder to the search path when it runs, after ``initialize``; an import that failed before
    stays failed. So ``$from mri_attention.a import b`` becomes a component that is found when it is used, and
    ``initialize`` adds the folder first.

    Raises:
        InputError: if a config imports from this package in another form.
    """
    files = list_configs(bundle)
    imported = {name: module for file in files for module, name in _IMPORT.findall(file.read_text())}
    texts = {str(file.relative_to(bundle)): _exported(file, imported) for file in files}
    for name, text in texts.items():
        if PACKAGE in re.sub(r"#.*", "", text) or re.search(rf"(from|import) {EXPORTED}\b", text):
            problem = f"names {PACKAGE} in a form that cannot be exported"
            raise InputError.at(bundle / name, problem, f"write '- $from {PACKAGE}.a import b' on a line of its own")
    return texts


def monailabel_configs(bundle: Path) -> dict[str, str]:
    """Return ``configs/NAME.json`` of ``configs/NAME.yaml`` and ``configs/monailabel/NAME.yaml``, where that is.

    MONAI Label's app reads one file, and looks for JSON first.
    """
    from monai.bundle import ConfigParser

    configs = bundle / "configs"
    texts = {}
    for overlay in sorted((configs / "monailabel").glob("*.yaml")):
        merged = ConfigParser.load_config_files([str(configs / overlay.name), str(overlay)])
        texts[f"configs/{overlay.stem}.json"] = json.dumps(merged, indent=2, ensure_ascii=False) + "\n"
    return texts


def _exported(file: Path, imported: dict[str, str]) -> str:
    text = file.read_text()
    own = _IMPORT.findall(text)
    text = _EMPTY_IMPORTS.sub("", _IMPORT.sub("", text))
    text = _INITIALIZE.sub(lambda found: found[0] + _SEARCH_PATH, text)
    text = text.replace(f"{PACKAGE}.", f"{EXPORTED}.")
    for old, new in _referring(read_config(file), imported):
        text = text.replace(old, new)
    if own:
        components = [f"{n}: {{_target_: {EXPORTED}.{module}.{n}, _mode_: callable}}" for module, n in own]
        text = "\n".join([text.rstrip("\n"), "", "# Functions of this bundle's code.", *components, ""])
    return text


def _referring(content: dict[str, Any], imported: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each expression that uses a name of ``imported``, and the same with references to components."""
    if not imported:
        return
    name = re.compile(rf"(?<![\w.@'\"])({'|'.join(map(re.escape, imported))})\b(?!\s*=(?!=))")
    for _, text in expressions(content):
        exported = text.replace(f"{PACKAGE}.", f"{EXPORTED}.")
        if not _IMPORTED.match(text) and name.search(exported):
            yield f"${exported}", "$" + name.sub(r"@\1", exported)

"""Reading a bundle's configs as they stand, without resolving anything, and so without running any of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...datasets import InputError

SUFFIXES = (".yaml", ".yml", ".json")


def list_configs(bundle: Path) -> list[Path]:
    """Return the configs of ``bundle``, overlays too, without ``metadata.json``, hidden files and lists of data."""
    files = (file for file in (bundle / "configs").rglob("*") if file.suffix in SUFFIXES and file.is_file())
    named = (file for file in files if file.name != "metadata.json" and not file.name.startswith("."))
    return sorted(file for file in named if file.suffix != ".json" or file.read_bytes()[:64].lstrip()[:1] != b"[")


def read_config(file: Path) -> dict[str, Any]:
    """Return the content of a YAML or JSON file.

    Raises:
        InputError: if it is neither, has a key twice, or is no mapping.
    """
    import yaml
    from monai.bundle import ConfigParser

    try:
        content = ConfigParser.load_config_file(file)
    except (ValueError, yaml.YAMLError) as error:
        raise InputError.at(file, f"cannot be read ({error})", "correct its syntax") from error
    if not isinstance(content, dict):
        raise InputError.at(file, "holds no names and values", "write it as name: value")
    return content


def walk(content: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each scalar of nested ``content`` with its id, such as ``train::handlers::0::_target_``."""
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from walk(value, f"{place}::{key}" if place else str(key))
    else:
        yield place, content


def expressions(content: Any) -> Iterator[tuple[str, str]]:
    """Yield id and text, without its ``$``, of each expression."""
    return ((place, text[1:]) for place, text in walk(content) if isinstance(text, str) and text.startswith("$"))


def targets(content: Any) -> Iterator[tuple[str, str]]:
    """Yield id and dotted name of each ``_target_``."""
    return ((place, str(text)) for place, text in walk(content) if place.endswith("_target_"))

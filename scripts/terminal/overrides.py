"""Settings and what varies, in the form in which the command line takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...datasets import InputError

OPTIONS = ("output_dir", "dataset_dir")
"""Config ids that commands set by an option or argument, whatever overrides say."""

WORDS = {"true": True, "false": False, "null": None}


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """Read ``--id value``, ``--id=value`` and ``--flag`` as ``python -m monai.bundle run`` does.

    Values are Python literals where they can be (``5``, ``[1,2]``, ``None``), ``true``, ``false`` and ``null`` as in
    configs, else text.

    Raises:
        InputError: if an argument is not preceded by its ``--id``, or the id is that of an option of the command.
    """
    overrides: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        name, has_value, value = option.removeprefix("--").partition("=")
        if not option.startswith("--") or not name:
            raise InputError.at(option, "an override needs a name", "write -- --train::trainer::max_epochs 5")
        if has_value:
            overrides[name] = _value(value)
        elif rest and not rest[0].startswith("--"):
            overrides[name] = _value(rest.pop(0))
        else:
            overrides[name] = True
    if given := next((name for name in overrides if name in OPTIONS), None):
        raise InputError.at(f"--{given}", "would have no effect", "give it before the --, as --help tells")
    return overrides


def parse_variation(text: str) -> list[dict[str, Any]]:
    """Read ``noise=0,0.1``, or for ids that vary together ``mask,acceleration=random:4,radial:6``.

    Values are Python literals where they can be, as in overrides; commas within brackets do not part them.

    Raises:
        InputError: if there is no value, or a combination has not a value for each id.
    """
    names, _, values = text.partition("=")
    ids = [name.strip() for name in names.split(",")]
    found = []
    for value in re.split(r",(?![^\[({]*[\])}])", values):
        parts = value.strip().split(":") if len(ids) > 1 else [value.strip()]
        if len(parts) != len(ids) or not all([*ids, *parts]):
            remedy = "write ID=VALUE,VALUE or ID,ID=VALUE:VALUE,VALUE:VALUE"
            raise InputError.at(text, f"'{value}' is not a value for each of {names or 'no id'}", remedy)
        found.append(dict(zip(ids, map(_value, parts), strict=True)))
    return found


def _value(text: str) -> Any:
    """Read one value; a word of YAML would be text to fire, and as text even ``false`` counts as true."""
    from fire.parser import DefaultParseValue

    return WORDS[text] if text in WORDS else DefaultParseValue(text)

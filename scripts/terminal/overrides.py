"""Settings and what varies, in the form in which the command line takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...datasets import InputError


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """Read ``--id value``, ``--id=value`` and ``--flag`` as ``python -m monai.bundle run`` does.

    Values are Python literals where they can be (``5``, ``[1,2]``, ``None``), else text.

    Raises:
        InputError: if an argument is not preceded by its ``--id``.
    """
    from fire.parser import DefaultParseValue

    overrides: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        name, has_value, value = option.removeprefix("--").partition("=")
        if not option.startswith("--") or not name:
            raise InputError.at(option, "an override needs a name", "write -- --train::trainer::max_epochs 5")
        if has_value:
            overrides[name] = DefaultParseValue(value)
        elif rest and not rest[0].startswith("--"):
            overrides[name] = DefaultParseValue(rest.pop(0))
        else:
            overrides[name] = True
    return overrides


def parse_variation(text: str) -> list[dict[str, Any]]:
    """Read ``noise=0,0.1``, or for ids that vary together ``mask,acceleration=random:4,radial:6``.

    Values are Python literals where they can be, as in overrides; commas within brackets do not part them.

    Raises:
        InputError: if there is no value, or a combination has not a value for each id.
    """
    from fire.parser import DefaultParseValue

    names, _, values = text.partition("=")
    ids = [name.strip() for name in names.split(",")]
    found = []
    for value in re.split(r",(?![^\[({]*[\])}])", values):
        parts = value.strip().split(":") if len(ids) > 1 else [value.strip()]
        if len(parts) != len(ids) or not all([*ids, *parts]):
            remedy = "write ID=VALUE,VALUE or ID,ID=VALUE:VALUE,VALUE:VALUE"
            raise InputError.at(text, f"'{value}' is not a value for each of {names or 'no id'}", remedy)
        found.append(dict(zip(ids, map(DefaultParseValue, parts), strict=True)))
    return found

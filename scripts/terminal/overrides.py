"""Settings in the form in which MONAI takes them on its command line."""

from __future__ import annotations

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

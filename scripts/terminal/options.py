"""The library names config ids and arguments, in backticks; the terminal names the options of the command."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Options = Mapping[str, str]
"""Option by config id or argument, such as ``{"allow_nan": "--allow-nan"}``."""

OTHER_NAMES = {
    "model_file": "model",
    "contestants": "baseline",
    "subjects": "participant_label",
    "sessions": "session_label",
}
"""Config ids and arguments whose options have other names."""


def options_of(app: Any, arguments: Sequence[str]) -> dict[str, str]:
    """Return the options of the command that the first of ``arguments`` names; none where there is no such command."""
    from typer.main import get_command

    command = get_command(app).commands.get(arguments[0]) if arguments else None  # type: ignore[attr-defined]
    parameters = [] if command is None else command.params
    options = {p.name: next((name for name in p.opts if name.startswith("--")), None) for p in parameters}
    known = {str(name): option for name, option in options.items() if option is not None}
    return {name: known[option] for name, option in OTHER_NAMES.items() if option in known} | known


def in_options(message: str, options: Options) -> str:
    """Write ``--allow-nan`` for `allow_nan`, and "give --allow-nan" for "set `allow_nan` to true"."""

    def option(found: re.Match[str]) -> str:
        before, name, after = found.groups("")
        if name not in options:
            return found[0]
        return f"give {options[name]}" if before and after else f"{before}{options[name]}{after}"

    return re.sub(r"(\bset )?`(\w+)`( to true\b)?", option, message)

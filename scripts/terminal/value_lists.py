"""Options that take several values, as those of BIDS Apps do: ``--participant-label 01 02``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand


class ValueListCommand(TyperCommand):
    """A command whose repeatable options take all words up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, and read the words as usual."""
        return super().parse_args(ctx, repeated(args, self.lists()))

    def lists(self) -> list[str]:
        """Name the options that take several words."""
        return [name for option in self.params if getattr(option, "multiple", False) for name in option.opts]


class EchoListCommand(ValueListCommand):
    """A command that takes ``--phase 1 2 3 --magnitude 1 2 3``; of its other options each word is one."""

    def lists(self) -> list[str]:
        """Name the options of echoes."""
        return ["--phase", "--magnitude"]


def repeated(words: Sequence[str], lists: Sequence[str]) -> list[str]:
    """Write ``--label 01 --label 02`` for ``--label 01 02``, where ``lists`` names ``--label``; not behind ``--``."""
    out: list[str] = []
    option = None
    for number, word in enumerate(words):
        if word == "--":
            return [*out, *words[number:]]
        if word.startswith("-"):
            option = word if word in lists else None
            is_first = True
        elif option is not None and not is_first:
            out.append(option)
        else:
            is_first = False
        out.append(word)
    return out

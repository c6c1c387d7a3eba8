"""The error that a person can act upon."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Input that cannot be used, told in one line: where, what is wrong with which value, and the remedy.

    It takes the whole message, so that data loaders can raise it again in another process.
    """

    @classmethod
    def at(cls, place: Path | str, problem: str, remedy: str) -> InputError:
        """Compose the line ``place: problem; remedy``."""
        return cls(f"{place}: {problem}; {remedy}".replace("\n", " "))

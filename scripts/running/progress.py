"""How the library tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What is called after each step, such as a bar at the terminal or in a notebook."""

    def __call__(self, label: str, done: int, total: int, state: str = "") -> None:
        """Take note of progress.

        Args:
            label: what is going on.
            done: steps of it.
            total: of the steps.
            state: more on it, such as the loss.
        """


def no_progress(label: str, done: int, total: int, state: str = "") -> None:
    """Tell nobody."""

"""Progress at the terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class ProgressBars:
    """Bars on stderr, one after the other: a label that was not the last one begins a new bar.

    Within its context it is what the library's ``progress`` may be.
    """

    def __init__(self) -> None:
        self._label: str | None = None
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __call__(self, label: str, done: int, total: int, state: str = "") -> None:
        """Move the bar of ``label`` to ``done`` of ``total``, with more words on the state behind it."""
        if self._bar is None or label != self._label:
            self._stop()
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            terminal = Console(stderr=True, highlight=False)
            self._bar = Progress(*columns, TextColumn("{task.fields[state]}"), console=terminal)
            self._bar.start()
            self._label, self._task = label, self._bar.add_task(label, state="")
        self._bar.update(self._task, completed=done, total=total, state=state)

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

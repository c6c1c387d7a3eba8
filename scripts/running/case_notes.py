"""What is told and how long it takes, case by case."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ignite.engine import Engine

PACKAGE = __name__.partition(".")[0]


class CaseNotes(logging.Handler):
    """Keeps the warnings of this package that come while a case is worked on, and measures the time.

    Attributes:
        warnings: by the number of the case, each text once; those before the first case at -1.
        seconds: by the number of the case, from reading its images to writing its results.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: dict[int, list[str]] = defaultdict(list)
        self.seconds: dict[int, float] = {}
        self._number = -1

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[CaseNotes]:
        """Keep what is told within the context."""
        notes, package = cls(), logging.getLogger(PACKAGE)
        package.addHandler(notes)
        try:
            yield notes
        finally:
            package.removeHandler(notes)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        text = " ".join(record.getMessage().split())
        if text not in self.warnings[self._number]:
            self.warnings[self._number].append(text)

    def begin(self, number: int) -> None:
        """Count what follows to the case of this number."""
        self._number, self._began = number, time.monotonic()

    def follow(self, engine: Engine) -> None:
        """Count what happens in MONAI's evaluator to the case that it works on."""
        from ignite.engine import Events

        engine.add_event_handler(Events.GET_BATCH_STARTED, self._begin_iteration)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._end_iteration)

    def _begin_iteration(self, engine: Engine) -> None:
        self.begin(engine.state.iteration)

    def _end_iteration(self, engine: Any) -> None:
        self.seconds[self._number] = time.monotonic() - self._began

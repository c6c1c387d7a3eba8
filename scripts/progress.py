"""Progress of ignite's engines at the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ignite.engine import Engine, Events
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def show_progress(engine: Engine, label: str, describe: Callable[[Engine], str] = lambda _: "") -> None:
    """Show a bar over all iterations of ``engine`` while it runs.

    Args:
        engine: trainer or evaluator, before its run.
        label: what is going on.
        describe: says more on the state after each iteration.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, TextColumn("{task.fields[state]}"), console=Console(stderr=True))
    task = progress.add_task(label, total=None, state="")

    @engine.on(Events.STARTED)
    def _start(engine: Engine) -> None:
        progress.start()

    @engine.on(Events.ITERATION_COMPLETED)
    def _advance(engine: Engine) -> None:
        total = (engine.state.epoch_length or 0) * (engine.state.max_epochs or 1)
        progress.update(task, total=total, completed=engine.state.iteration, state=describe(engine))

    @engine.on(Events.COMPLETED | Events.EXCEPTION_RAISED)
    def _stop(*_: Any) -> None:
        progress.stop()

"""Progress of ignite's engines at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ignite.engine import Engine, Events
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def show_progress(engine: Engine, label: str, describe: Callable[[], str] = str) -> Iterator[None]:
    """Show a bar over all iterations of ``engine`` that runs within the context.

    Args:
        engine: trainer or evaluator.
        label: what is going on.
        describe: says more on the state after each iteration.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    terminal = Console(stderr=True, highlight=False)
    with Progress(*columns, TextColumn("{task.fields[state]}"), console=terminal) as progress:
        task = progress.add_task(label, total=None, state="")

        def advance(engine: Engine) -> None:
            total = (engine.state.epoch_length or 0) * (engine.state.max_epochs or 1)
            progress.update(task, total=total, completed=engine.state.iteration, state=describe())

        with engine.add_event_handler(Events.ITERATION_COMPLETED, advance):
            yield

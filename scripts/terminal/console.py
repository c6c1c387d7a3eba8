"""What the commands share at the terminal: one-line errors, quiet third parties, tables, progress."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.dummy import DummyProcess

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..running.outputs import FULL_DISK
from ..running.third_parties import DEBUG_VARIABLE, causes, input_error_in, is_debugging, silence_loggers
from .options import Options, in_options

BAD_INPUT = 2
"""Exit code for input that the user can put right."""

LONGEST_WORK = 30.0
"""Seconds that threads are waited for at the end."""

PACKAGE = __name__.partition(".")[0]
TOLD = tuple(
    f"{PACKAGE}.{name}"
    for name in (
        "networks.inferers.precision_choice",
        "handlers.time_budget",
        "transforms.load_phase",
        "transforms.compressed_sensing",
        "scripts.running.contest",
    )
)
"""Loggers whose remarks are shown too, not their warnings alone."""


WIDTH = 200
"""Characters of a table that goes into a file or another program, which has no width."""


class _Line(logging.Formatter):
    """Names options in the place of config ids; a warning is called one."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options

    def format(self, record: logging.LogRecord) -> str:
        prefix = "Warning: " if record.levelno >= logging.WARNING else ""
        return prefix + in_options(super().format(record), self.options)


class _ToTerminal(logging.Handler):
    """Writes to the present ``sys.stderr``, which a bar replaces by one that puts lines above it.

    What was told once is not told again, such as of a file that several steps read.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if line not in self._told:
            self._told.add(line)
            sys.stderr.write(f"{line}\n")


def console() -> Console:
    """Return a terminal that writes to the present ``sys.stdout``."""
    return Console(highlight=False, markup=False, soft_wrap=True)


def quiet_third_parties(options: Options) -> None:
    """Hide warnings and log messages of MONAI, ignite, MLflow and others, unless debugging.

    Warnings of this package reach the user, and so do the precision in which a network computes, the end of a
    training's time, and the means of one of several evaluations. Errors do so once, through :func:`exit_with`; ignite
    and MONAI would log each of them before.
    """
    if is_debugging():
        return
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # reaches the workers of a DataLoader
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _ToTerminal)]
    handler = _ToTerminal()
    handler.setFormatter(_Line(options))
    handler.addFilter(logging.Filter(PACKAGE))
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name in TOLD)
    for name in TOLD:
        logging.getLogger(name).setLevel(logging.INFO)
    root.addHandler(handler)
    silence_loggers()


def announce(step: str) -> None:
    """Tell on stderr what begins now."""
    Console(stderr=True, highlight=False, markup=False).print(step, style="bold")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose first column is text and whose other columns are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column, name in enumerate(header):
        table.add_column(name, justify="left" if column == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else WIDTH
    Console(highlight=False, markup=False, width=width).print(table)


class ProgressBars(ExitStack):
    """Bars on stderr, one after the other: a label that was not the last one begins a new bar.

    Within its context it is what the library's ``progress`` may be.
    """

    _label: str | None = None

    def __call__(self, label: str, done: int, total: int, state: str = "") -> None:
        """Move the bar of ``label`` to ``done`` of ``total``, with more words on the state behind it."""
        if label != self._label:
            self.close()
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            terminal = Console(stderr=True, highlight=False)
            self._bar = self.enter_context(Progress(*columns, TextColumn("{task.fields[state]}"), console=terminal))
            self._label, self._task = label, self._bar.add_task(label, state="")
        self._bar.update(self._task, completed=done, total=total, state=state)


def exit_with(error: BaseException, options: Options) -> None:
    """Leave the program with one line on stderr that tells ``error``; bad input has exit code 2.

    A signal that came while MONAI looked something up is wrapped in an error: the program leaves as asked, silently.
    """
    if leaving := next((link for link in causes(error) if isinstance(link, SystemExit)), None):
        raise leaving
    if is_debugging():
        traceback.print_exception(error)
    message, code = explain(error)
    sys.stderr.write(f"Error: {' '.join(in_options(message, options).split())}\n")
    sys.stderr.flush()
    wait_for_workers()
    raise SystemExit(code)


def wait_for_workers() -> None:
    """Wait until the threads of pools, such as those that fill a cache, are through with what they began.

    The interpreter would end them within library code, which aborts the process with another exit code.
    """
    end = time.monotonic() + LONGEST_WORK
    for worker in threading.enumerate():
        if isinstance(worker, DummyProcess):
            worker.join(max(0.0, end - time.monotonic()))


def explain(error: BaseException) -> tuple[str, int]:
    """Find the line that helps the user in ``error`` or in what caused it, and the exit code."""
    for link in causes(error):
        if found := input_error_in(link):
            return str(found), BAD_INPUT
        # usage errors of typer; it carries its own copy of click's exceptions since 0.26
        if hasattr(link, "format_message"):
            return f"{link.format_message()} (see --help)", BAD_INPUT
        if isinstance(link, OSError) and link.filename is not None:
            return f"{link.filename}: {link.strerror or link}", BAD_INPUT
        if isinstance(link, OSError) and link.errno in FULL_DISK:
            return f"the output folder: {link.strerror}; free some space, or choose another `output_dir`", BAD_INPUT
    hint = f"set {DEBUG_VARIABLE}=1 for the traceback"
    *_, root = causes(error)  # MONAI wraps what went wrong in what it was doing
    if isinstance(root, ValueError) and _is_refused_here(root):  # a setting of a config, or two that do not fit
        return f"{root}: {hint}", BAD_INPUT
    return f"{type(root).__name__}: {root}: {hint}", 1


def _is_refused_here(error: BaseException) -> bool:
    """Tell whether code of this package raised ``error``, not a library that it called."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__", "").partition(".")[0] == PACKAGE

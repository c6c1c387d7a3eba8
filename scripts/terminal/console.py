"""What the commands share at the terminal: one-line errors, quiet third parties, tables."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from ...datasets import InputError

DEBUG_VARIABLE = "MRI_ATTENTION_DEBUG"
BAD_INPUT = 2
"""Exit code for input that the user can put right."""

TALKATIVE = ("monai", "ignite", "mlflow", "alembic")


def is_debugging() -> bool:
    """Tell whether ``MRI_ATTENTION_DEBUG=1`` asks for tracebacks and third-party messages."""
    return os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0")


def console() -> Console:
    """Return a terminal that writes to the present ``sys.stdout``."""
    return Console(highlight=False, markup=False, soft_wrap=True)


def quiet_third_parties() -> None:
    """Hide warnings and log messages of MONAI, ignite, MLflow and others, unless debugging.

    Warnings of this package reach the user. Errors do so once, through :func:`exit_with`; ignite and MONAI
    would log each of them before.
    """
    if is_debugging():
        return
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # reaches the workers of a DataLoader
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("Warning: %(message)s"))
    handler.setLevel(logging.WARNING)
    handler.addFilter(logging.Filter(__name__.partition(".")[0]))
    logging.getLogger().addHandler(handler)
    silence_loggers()


def silence_loggers() -> None:
    """Silence the loggers of third parties that bring handlers of their own, unless debugging.

    MONAI makes such loggers while it is imported: call this again after that.
    """
    if is_debugging():
        return
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in TALKATIVE]
    for name in (*TALKATIVE, *known):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def announce(step: str) -> None:
    """Tell on stderr what begins now."""
    Console(stderr=True, highlight=False, markup=False).print(step, style="bold")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose first column is text and whose other columns are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column, name in enumerate(header):
        table.add_column(name, justify="left" if column == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


def exit_with(error: BaseException) -> None:
    """Leave the program with one line on stderr that tells ``error``; bad input has exit code 2."""
    if is_debugging():
        traceback.print_exception(error)
    message, code = explain(error)
    sys.stderr.write(f"Error: {' '.join(message.split())}\n")
    raise SystemExit(code)


def explain(error: BaseException) -> tuple[str, int]:
    """Find the line that helps the user in ``error`` or in what caused it, and the exit code."""
    for link in _chain(error):
        if any(kind.__name__ == InputError.__name__ for kind in type(link).__mro__):  # or that of an exported bundle
            return str(link), BAD_INPUT
        # usage errors of typer; it carries its own copy of click's exceptions since 0.26
        if hasattr(link, "format_message"):
            return f"{link.format_message()} (see --help)", BAD_INPUT
        # a DataLoader's worker hands over the traceback as text only
        if found := re.search(r"^\S*\bInputError: (.+)$", str(link), re.MULTILINE):
            return found[1], BAD_INPUT
        if isinstance(link, OSError) and link.filename is not None:
            return f"{link.filename}: {link.strerror or link}", BAD_INPUT
    hint = f"set {DEBUG_VARIABLE}=1 for the traceback"
    *_, root = _chain(error)  # MONAI wraps what went wrong in what it was doing
    return f"{type(root).__name__}: {root}: {hint}", 1


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield ``error`` and, in turn, what it was raised from or while handling."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

"""What MONAI and other third parties say: errors of bad input found in theirs, and their loggers silenced."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from ...datasets import InputError

DEBUG_VARIABLE = "MRI_ATTENTION_DEBUG"
TALKATIVE = ("monai", "ignite", "mlflow", "alembic")


@contextmanager
def input_errors_unwrapped() -> Iterator[None]:
    """Raise the :class:`InputError` itself where MONAI would raise what it was doing at the time.

    Raises:
        InputError: if there is one among the causes of an error within the context.
    """
    try:
        yield
    except Exception as error:
        found = next(filter(None, map(input_error_in, causes(error))), None)
        if found is None or found is error:
            raise
        raise found from error


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield ``error`` and, in turn, what it was raised from or while handling; each once, for they may go round."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def input_error_in(error: BaseException) -> InputError | None:
    """Return ``error`` itself, that of an exported bundle's code or of a DataLoader's worker, or None."""
    if isinstance(error, InputError):
        return error
    if any(kind.__name__ == InputError.__name__ for kind in type(error).__mro__):  # an exported bundle's own
        return InputError(str(error))
    # a DataLoader's worker hands over the traceback as text only
    found = re.search(r"^\S*\bInputError: (.+)$", str(error), re.MULTILINE)
    return InputError(found[1]) if found else None


def is_debugging() -> bool:
    """Tell whether ``MRI_ATTENTION_DEBUG=1`` asks for tracebacks and third-party messages."""
    return os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0")


def silence_loggers() -> None:
    """Silence the loggers of third parties that bring handlers of their own, unless debugging.

    MONAI makes such loggers while it is imported: call this again after that.
    """
    if is_debugging():
        return
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in TALKATIVE]
    for name in (*TALKATIVE, *known):
        logging.getLogger(name).setLevel(logging.CRITICAL)

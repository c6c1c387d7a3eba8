"""Quiet for the loggers of third parties, which tell of each step."""

from __future__ import annotations

import logging
import os

DEBUG_VARIABLE = "MRI_ATTENTION_DEBUG"
TALKATIVE = ("monai", "ignite", "mlflow", "alembic")


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

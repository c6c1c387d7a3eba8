"""Signals that end a program, as exceptions, so that what is half written goes on the way out."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What a queue's time limit, ``kill`` and a closed terminal send; Ctrl-C is an exception already."""


@contextmanager
def leaving_on_signals() -> Iterator[None]:
    """Raise ``SystemExit(128 + signal)`` on SIGTERM and SIGHUP within the context, where they would end the program.

    Signals that somebody handles or ignores (``nohup``) already are left alone, and so are threads but the main one.
    Processes forked within the context end as they would without it.
    """
    is_main = threading.current_thread() is threading.main_thread()
    found = [number for number in ENDING if is_main and signal.getsignal(number) is signal.SIG_DFL]
    owner = os.getpid()

    def leave(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for each in found:
            signal.signal(each, signal.SIG_IGN)  # one is enough, and the way out is not to be interrupted
        raise SystemExit(128 + number)

    try:
        for number in found:
            signal.signal(number, leave)
        yield
    finally:
        for number in found:
            signal.signal(number, signal.SIG_DFL)

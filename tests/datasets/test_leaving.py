"""Tests of signals that end a program in an orderly way."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from mri_attention.datasets.leaving import ENDING, leaving_on_signals


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_becomes_an_exception(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # nohup ignores one of them
    try:
        with pytest.raises(SystemExit) as left, leaving_on_signals():
            os.kill(os.getpid(), number)
        assert left.value.code == 128 + number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with leaving_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_child_ends_as_without_it() -> None:
    with leaving_on_signals():
        if (child := os.fork()) == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM


def test_other_threads_leave_signals_alone() -> None:
    found = []

    def run() -> None:
        with leaving_on_signals():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]

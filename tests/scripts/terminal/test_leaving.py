"""A signal that MONAI wrapped in an error of its own."""

from __future__ import annotations

import threading
import time
from multiprocessing.dummy import DummyProcess
from multiprocessing.pool import ThreadPool

import pytest

from mri_attention.scripts.terminal.console import exit_with, wait_for_workers


def test_a_wrapped_exit_leaves_with_its_code_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("Failed to instantiate")
    error.__cause__ = SystemExit(143)
    with pytest.raises(SystemExit) as left:
        exit_with(error, {})
    assert left.value.code == 143
    assert capsys.readouterr().err == ""


def test_errors_whose_causes_go_round_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    with pytest.raises(SystemExit) as left:
        exit_with(first, {})
    assert left.value.code == 1
    assert "RuntimeError: second" in capsys.readouterr().err


def test_workers_of_pools_are_waited_for() -> None:
    """A cache is filled by threads, and one of them meets bad input while another one computes."""
    done = []

    def work(seconds: float) -> None:
        if not seconds:
            raise ValueError("bad input")
        time.sleep(seconds)
        done.append(seconds)

    with pytest.raises(ValueError, match="bad input"), ThreadPool(2) as pool:
        list(pool.imap(work, [0.0, 0.5]))
    wait_for_workers()
    assert done in ([], [0.5])
    assert not any(isinstance(thread, DummyProcess) for thread in threading.enumerate())

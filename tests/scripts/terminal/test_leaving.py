"""A signal that MONAI wrapped in an error of its own."""

from __future__ import annotations

import pytest

from mri_attention.scripts.terminal.console import exit_with


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

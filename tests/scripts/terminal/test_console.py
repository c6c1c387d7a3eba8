"""Tests of what the commands share at the terminal."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from mri_attention.scripts.terminal import console


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The logger of all, which gets its handlers back."""
    logger = logging.getLogger()
    before = list(logger.handlers)
    yield logger
    logger.handlers = before


def test_warnings_go_once_to_the_stderr_of_the_moment(root: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "silence_loggers", lambda: None)
    console.quiet_third_parties({})
    console.quiet_third_parties({})
    above_the_bar = io.StringIO()  # what a bar puts in the place of stderr
    monkeypatch.setattr(sys, "stderr", above_the_bar)
    logging.getLogger("mri_attention.handlers").warning("stopped")
    assert above_the_bar.getvalue() == "Warning: stopped\n"


def test_what_several_steps_find_is_told_once_in_a_command(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "silence_loggers", lambda: None)
    for _ in range(2):  # commands
        console.quiet_third_parties({})
        for place in ("a.nii", "a.nii", "b.nii"):
            logging.getLogger("mri_attention.datasets.volumes").warning("%s: 3 NaN", place)
        assert capsys.readouterr().err == "Warning: a.nii: 3 NaN\nWarning: b.nii: 3 NaN\n"


def test_the_precision_that_was_chosen_is_told_without_being_a_warning(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mri_attention.networks.inferers import precision_choice

    monkeypatch.setattr(console, "silence_loggers", lambda: None)
    console.quiet_third_parties({})
    precision_choice.logger.info("computing in float32")
    logging.getLogger("mri_attention.handlers").info("of no interest")
    assert capsys.readouterr().err == "computing in float32\n"


def test_a_table_that_goes_into_a_file_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    header = ["patient", *(f"a measure with a long name {number}" for number in range(5))]
    console.print_table("Much", header, [["sub-01", *["0.123 (0.100 to 0.150)"] * 5]])
    told = capsys.readouterr().out
    assert told.count("0.123 (0.100 to 0.150)") == 5
    assert all(name in told for name in header)

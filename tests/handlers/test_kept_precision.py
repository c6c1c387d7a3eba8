"""Tests of handlers.kept_precision."""

from pathlib import Path
from typing import Any

import pytest

from mri_attention.handlers import save_whole, training_precision


def checkpoint(folder: Path, epoch: int, settings: dict[str, Any]) -> None:
    content = {"model": {}, "trainer": {"iteration": epoch}, "progress": {"settings": settings}}
    save_whole(content, folder / f"checkpoint_epoch={epoch}.pt")


def never() -> bool:
    raise AssertionError("chosen anew")


@pytest.mark.parametrize("is_half", [False, True])
def test_a_training_that_goes_on_keeps_its_precision(is_half: bool, tmp_path: Path) -> None:
    checkpoint(tmp_path, 2, {"half_precision": not is_half})
    checkpoint(tmp_path, 10, {"half_precision": is_half})
    assert training_precision(tmp_path, never, resume=True) is is_half


def test_a_damaged_checkpoint_does_not_count(tmp_path: Path) -> None:
    checkpoint(tmp_path, 2, {"half_precision": True})
    (tmp_path / "checkpoint_epoch=3.pt").write_bytes(b"half of a file")
    assert training_precision(tmp_path, never, resume=True)


@pytest.mark.parametrize("choice", [False, True])
@pytest.mark.parametrize("resume", [False, True])
def test_else_it_is_chosen(choice: bool, resume: bool, tmp_path: Path) -> None:
    checkpoint(tmp_path, 2, {} if resume else {"half_precision": not choice})
    assert training_precision(tmp_path, lambda: choice, resume) is choice
    assert training_precision(tmp_path / "new", lambda: choice, resume) is choice

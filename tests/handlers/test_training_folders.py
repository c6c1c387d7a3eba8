"""Tests of the folder of a training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.handlers import claim_folder
from mri_attention.handlers.training_folders import release_folder

HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
file.write("process 7 on this machine")
file.flush()
print("held", flush=True)
time.sleep(60)
"""


def test_a_folder_in_which_another_process_trains_is_refused_until_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / ".lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(InputError, match=r"another training \(process 7 on this machine\) writes there"):
            claim_folder(tmp_path, resume=True)
        other.kill()
        other.wait()
    assert claim_folder(tmp_path, resume=True) == tmp_path
    release_folder(tmp_path)


def test_a_process_may_claim_its_folder_again(tmp_path: Path) -> None:
    assert claim_folder(tmp_path / "new") == claim_folder(tmp_path / "new") == tmp_path / "new"
    release_folder(tmp_path / "new")


def test_weights_are_not_replaced_unless_they_may_be(tmp_path: Path) -> None:
    for name in ("model.pt", "checkpoint_last.pt"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"holds a training already \(checkpoint_last.pt, model.pt\)"):
        claim_folder(tmp_path)
    claim_folder(tmp_path, resume=True)
    assert (tmp_path / "checkpoint_last.pt").exists()
    claim_folder(tmp_path, overwrite=True)
    assert [file.name for file in tmp_path.glob("*.pt")] == ["model.pt"]
    release_folder(tmp_path)


def test_what_a_killed_process_was_writing_goes(tmp_path: Path) -> None:
    (tmp_path / ".77.checkpoint_epoch=3.pt").touch()
    claim_folder(tmp_path, resume=True)
    assert list(tmp_path.glob(".*.pt")) == []
    release_folder(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        claim_folder(tmp_path / "file" / "models")

"""Tests of weights and checkpoints that are written whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.handlers import BestWeights, save_whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_keeps_what_was_there(small_disk: Path) -> None:
    file = small_disk / "checkpoint.pt"
    save_whole({"weight": torch.ones(100_000)}, file)
    with pytest.raises(InputError, match=r"No space left on device.*set `resume` to true"):
        save_whole({"weight": torch.zeros(200_000)}, file)
    assert torch.load(file, weights_only=True)["weight"].sum() == 100_000
    assert [path.name for path in small_disk.iterdir()] == ["checkpoint.pt"]


def test_weights_are_those_of_the_best_validation(tmp_path: Path) -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    handler = BestWeights(torch.nn.DataParallel(network), tmp_path / "model.pt")
    for epoch, best in ((1, 1), (2, 1), (3, 3), (4, 3)):
        torch.nn.init.constant_(network.weight, epoch)
        handler.keep(SimpleNamespace(state=SimpleNamespace(epoch=epoch, best_metric_epoch=best)))
    assert torch.load(tmp_path / "model.pt", weights_only=True) == {"weight": torch.tensor([[3.0]])}

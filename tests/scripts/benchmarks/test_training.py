"""Tests of scripts.training_benchmark: forms are compared before anything is timed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from mri_attention.networks.nets import SANet, TwoContrastNetwork
from mri_attention.scripts.benchmarks import training as training_benchmark
from mri_attention.scripts.benchmarks.result import Settings
from mri_attention.scripts.benchmarks.training import (
    HERE,
    PUBLISHED,
    PublishedChannelSpatialConvolution,
    TrainingCost,
    build,
    check_equal_forms,
    measure_training,
    peak_of,
    training_rows,
)

Run = Callable[..., int]
CPU = torch.device("cpu")


def tiny() -> nn.Module:
    return TwoContrastNetwork(SANet(2, 1, 1, 4), stride=2)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_benchmark, "NETWORKS", {"tiny": tiny})
    monkeypatch.setattr(training_benchmark, "peak_apart", lambda *_: 2**20)


def test_measures_both_forms_in_turn(small: None) -> None:
    told: list[str] = []
    costs = measure_training(Settings(CPU, [16], 2, 1, None, told.append))
    assert [(cost.form, cost.size, len(cost.times)) for cost in costs] == [(PUBLISHED, 16, 2), (HERE, 16, 2)]
    assert told == ["tiny at 16 x 16"]


def test_forms_have_the_same_weights_and_differ_in_the_attention_alone() -> None:
    published, here = build(tiny, PUBLISHED, CPU), build(tiny, HERE, CPU)
    for (name, ours), theirs in zip(here.state_dict().items(), published.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, msg=name)
    counts = [
        sum(isinstance(m, PublishedChannelSpatialConvolution) for m in network.modules())
        for network in (published, here)
    ]
    assert counts == [2, 0]


def test_forms_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {form: build(tiny, form, CPU) for form in (PUBLISHED, HERE)}
    check_equal_forms(forms, CPU, "here")
    monkeypatch.setattr(PublishedChannelSpatialConvolution, "attention_weights", lambda _, x: torch.ones_like(x))
    with pytest.raises(RuntimeError, match=r"the images of here in torch.float32 differ by"):
        check_equal_forms(forms, CPU, "here")


def test_rows_tell_medians_and_their_ratio() -> None:
    costs = [
        TrainingCost("paper", PUBLISHED, 64, 1000, 4 * 2**20, [0.4, 0.8, 0.2]),
        TrainingCost("paper", HERE, 64, 1000, 2**20, [0.1, 0.1, 0.1]),
    ]
    first, second = ([*row.values()] for row in training_rows(costs))
    assert first[-2:] == ["1.00 (1.00-1.00)", "100 %"]
    assert second == ["paper", "64 x 64", HERE, "1,000", "100", "10.00", "1", "4.00 (3.00-6.00)", "25 %"]


def test_a_step_takes_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_benchmark, "NETWORKS", {"tiny": tiny})
    assert peak_of("tiny", HERE, 128, CPU) > 0


def test_command_writes_numbers_table_and_plot(small: None, run_command: Run, tmp_path: Path) -> None:
    assert run_command("benchmark", "training", "--output", tmp_path, "--sizes", "16", "--rounds", 1) == 0
    assert {file.name for file in tmp_path.iterdir()} == {f"training.{kind}" for kind in ("json", "md", "png")}
    assert json.loads((tmp_path / "training.json").read_text())["patches"] == 4
    assert "tiny | 16 x 16 | here" in (tmp_path / "training.md").read_text()

"""Tests of handlers.time_budget: trainings of one weight, by a clock that goes 20 seconds an epoch."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.handlers import LrScheduleHandler

from mri_attention.datasets import InputError
from mri_attention.handlers import TimeBudget, TrainingCheckpoints, time_budget
from tests.handlers.test_training_checkpoints import StopError, names, stop_in

SECONDS = 20.0


class Training:
    """Ten epochs of two steps, two minutes at most, of a clock that stands still but at ends of epochs."""

    def __init__(self, minutes: float, folder: Path | None = None, by_steps: bool = False, **options: Any) -> None:
        self.network = torch.nn.Linear(1, 1)
        optimizer = torch.optim.SGD(self.network.parameters(), lr=1.0)
        milestones = [n * (2 if by_steps else 1) for n in (5, 9)]
        self.scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=0.1)
        self.trainer = Engine(lambda engine, batch: optimizer.step())
        self.trainer.state.best_metric, self.trainer.state.best_metric_epoch = -1, -1  # as MONAI's trainers have
        self.rates: list[float] = []
        self.trainer.add_event_handler(Events.EPOCH_STARTED, lambda: self.rates.append(optimizer.param_groups[0]["lr"]))
        self.trainer.add_event_handler(Events.EPOCH_COMPLETED, self._pass_time)
        LrScheduleHandler(self.scheduler, epoch_level=not by_steps).attach(self.trainer)
        self.validator = SimpleNamespace(data_loader=[1], state=SimpleNamespace(epoch=0), run=self._validate)
        self.validated: list[int] = []
        TimeBudget(minutes, self.scheduler, self.validator).attach(self.trainer)
        if folder is not None:
            objects = {"model": self.network, "optimizer": optimizer, "lr_scheduler": self.scheduler}
            TrainingCheckpoints(folder, objects | {"trainer": self.trainer}, **options).attach(self.trainer)

    def run(self) -> int:
        self.trainer.run([1, 2], max_epochs=10)
        return self.trainer.state.epoch

    def _pass_time(self) -> None:
        clock.now += SECONDS

    def _validate(self, epoch: int) -> None:
        self.validated.append(epoch)


clock = SimpleNamespace(now=0.0)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == time_budget.__name__]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_budget, "time", SimpleNamespace(monotonic=lambda: clock.now))


def test_it_ends_after_the_epoch_in_which_the_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert Training(1.1).run() == 4
    assert told(caplog) == ["ending after epoch 4 of 10: 1.3 minutes are over"]


def test_it_ends_with_its_epochs_where_these_are_done_before(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert Training(60.0).run() == 10
    assert not told(caplog)


@pytest.mark.parametrize("by_steps", [False, True])
def test_the_learning_rate_goes_by_the_share_of_the_time(by_steps: bool) -> None:
    training = Training(2.0, by_steps=by_steps)
    training.run()
    assert training.rates == pytest.approx([1.0, 1.0, 1.0, 0.1, 0.1, 0.1])  # the fifth epoch's time is 60 s


@pytest.mark.parametrize("by_steps", [False, True])
def test_the_learning_rate_goes_by_epochs_where_these_are_ahead(by_steps: bool) -> None:
    training = Training(60.0, by_steps=by_steps)
    training.run()
    assert training.rates == pytest.approx([1.0] * 5 + [0.1] * 4 + [0.01])


def test_the_last_epoch_is_validated() -> None:
    training = Training(1.0)
    training.run()
    assert training.validated == [3]


def test_the_last_epoch_is_not_validated_twice_nor_without_cases() -> None:
    validated, empty = Training(1.0), Training(1.0)
    validated.validator.state.epoch, empty.validator.data_loader = 3, []
    for training in (validated, empty):
        training.run()
        assert not training.validated


def test_weights_are_written_as_after_all_epochs(tmp_path: Path) -> None:
    training = Training(1.0, tmp_path)
    training.run()
    assert "checkpoint_last.pt" in names(tmp_path)
    content = torch.load(tmp_path / "checkpoint_last.pt", weights_only=False)
    assert content["lr_scheduler"]["last_epoch"] == 10


def test_time_before_a_stop_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.handlers.training_checkpoints.time", time_budget.time)
    first = Training(2.0, tmp_path)
    stop_in(first.trainer, 3, StopError())  # type: ignore[arg-type]
    with pytest.raises(StopError):
        first.run()
    clock.now += 1000.0
    second = Training(2.0, tmp_path, resume=True)
    assert second.run() == 6
    assert second.rates == pytest.approx([1.0, 0.1, 0.1, 0.1])


def test_there_is_some_time() -> None:
    with pytest.raises(InputError, match="`minutes` 0: must be more than 0"):
        Training(0.0)

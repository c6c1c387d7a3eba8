"""Checkpoints of a training of one weight: what they hold, and how it goes on."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from monai.handlers import EarlyStopHandler
from torch.utils.data import DataLoader

from mri_attention.datasets import InputError
from mri_attention.handlers import EpochSeeds, TrainingCheckpoints


class StopError(Exception):
    """What ends a training in these tests."""


def trainer_of(folder: Path, epochs: int, **options: Any) -> SupervisedTrainer:
    """Return a trainer of one weight, two steps an epoch, with dropout and checkpoints in ``folder``."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(options.pop("n_inputs", 3), 1), torch.nn.Dropout(0.5))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    data = [{"image": torch.ones(3) * n, "label": torch.ones(1)} for n in range(options.pop("n_items", 4))]
    trainer = SupervisedTrainer(
        device="cpu",
        max_epochs=epochs,
        train_data_loader=DataLoader(data, batch_size=2, shuffle=True),  # type: ignore[arg-type]
        network=network,
        optimizer=optimizer,
        loss_function=torch.nn.functional.mse_loss,
        decollate=False,
    )
    trainer.add_event_handler(Events.EXCEPTION_RAISED, raise_on)  # as MONAI's StatsHandler does
    objects = {"model": network, "optimizer": optimizer, "lr_scheduler": schedule, "trainer": trainer}
    EpochSeeds(seed=3).attach(trainer)
    TrainingCheckpoints(folder, objects, **options).attach(trainer)
    return trainer


def raise_on(engine: Any, error: BaseException) -> None:
    raise error


def stop_in(trainer: SupervisedTrainer, epoch: int, error: BaseException) -> None:
    def stop(engine: Any) -> None:
        if engine.state.epoch == epoch:
            raise error

    trainer.add_event_handler(Events.ITERATION_COMPLETED, stop)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.pt"))


def weights(trainer: SupervisedTrainer) -> list[torch.Tensor]:
    return list(trainer.network.state_dict().values())


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """Folder of a training of six epochs that stopped in the fourth."""
    trainer = trainer_of(tmp_path, 6)
    stop_in(trainer, 4, StopError())
    with pytest.raises(StopError):
        trainer.run()
    return tmp_path


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.handlers.training_checkpoints.SHARE", 1e9)


pytestmark = pytest.mark.usefixtures("every_epoch")


def test_goes_on_as_if_it_had_not_stopped(stopped: Path, tmp_path: Path) -> None:
    whole, rest = trainer_of(tmp_path / "whole", 6), trainer_of(stopped, 6, resume=True)
    whole.run()
    rest.run()
    assert rest.state.iteration == whole.state.iteration == 12
    for ours, theirs in zip(weights(rest), weights(whole), strict=True):
        assert torch.equal(ours, theirs)


def test_two_checkpoints_are_kept_and_the_last_one_is_named_so(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, 5)
    stop_in(trainer, 4, StopError())
    with pytest.raises(StopError):
        trainer.run()
    assert names(tmp_path) == ["checkpoint_epoch=2.pt", "checkpoint_epoch=3.pt"]
    trainer_of(tmp_path, 5, resume=True).run()
    assert names(tmp_path) == ["checkpoint_epoch=4.pt", "checkpoint_last.pt"]
    last = torch.load(tmp_path / "checkpoint_last.pt", weights_only=True)
    assert last["trainer"]["iteration"] == 10


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: _flipped(data)])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    damage: Any, stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    newest = stopped / "checkpoint_epoch=3.pt"
    newest.write_bytes(damage(newest.read_bytes()))
    trainer = trainer_of(stopped, 6, resume=True)
    trainer.run()
    assert "damaged (checkpoint_epoch=3.pt); going on from checkpoint_epoch=2.pt" in caplog.text
    assert trainer.state.iteration == 12


def _flipped(data: bytes) -> bytes:
    """Change one bit of the weights."""
    content = torch.load(io.BytesIO(data), weights_only=True)
    place = data.index(content["model"]["0.weight"].numpy().tobytes())
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_damaged_checkpoints_alone_are_refused(stopped: Path) -> None:
    for file in stopped.glob("*.pt"):
        file.write_bytes(b"")
    with pytest.raises(InputError, match="no whole checkpoint"):
        trainer_of(stopped, 6, resume=True).run()


def test_another_network_is_refused(stopped: Path) -> None:
    with pytest.raises(InputError, match=r"of another network \(0\.weight differs\)"):
        trainer_of(stopped, 6, resume=True, n_inputs=2).run()


def test_a_checkpoint_without_what_is_trained_is_refused(stopped: Path) -> None:
    for file in stopped.glob("*.pt"):
        content = torch.load(file, weights_only=True)
        del content["lr_scheduler"]
        torch.save(content, file)
    with pytest.raises(InputError, match=r"of an earlier version \(no lr_scheduler in it\)"):
        trainer_of(stopped, 6, resume=True).run()


def test_epochs_of_another_length_are_refused(stopped: Path) -> None:
    with pytest.raises(InputError, match="of epochs of 2 steps, not 3; set `steps` to 2"):
        trainer_of(stopped, 6, resume=True, n_items=6).run()


def test_a_new_training_replaces_no_checkpoints(stopped: Path) -> None:
    with pytest.raises(InputError, match="holds a training already"):
        trainer_of(stopped, 6).run()


def test_settings_that_changed_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer_of(tmp_path, 1, settings={"seed": 0, "dataset_dir": ["/a/x.nii"], "rate": 1}).run()
    trainer_of(tmp_path, 2, settings={"seed": 1, "dataset_dir": ["/b/x.nii"], "rate": 1}, resume=True).run()
    assert "another `seed` 1 (was 0);" in caplog.text


def test_nothing_to_go_on_from_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer = trainer_of(tmp_path, 1, resume=True)
    trainer.run()
    assert "no checkpoint to go on from; starting at epoch 1" in caplog.text
    assert trainer.state.epoch == 1


def test_a_finished_training_is_told_and_not_done_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer_of(tmp_path, 2).run()
    before = (tmp_path / "checkpoint_last.pt").read_bytes()
    trainer = trainer_of(tmp_path, 2, resume=True)
    trainer.run()
    assert "has 2 epochs already; set `epochs` higher" in caplog.text
    assert (trainer.state.epoch, trainer.state.iteration) == (2, 4)
    assert (tmp_path / "checkpoint_last.pt").read_bytes() == before


def test_a_checkpoint_of_an_earlier_version_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer_of(tmp_path, 2).run()
    content = torch.load(tmp_path / "checkpoint_last.pt", weights_only=True)
    torch.save({name: content[name] for name in content if name != "progress"}, tmp_path / "checkpoint_last.pt")
    trainer = trainer_of(tmp_path, 3, resume=True)
    trainer.run()
    assert trainer.state.iteration == 6
    assert "of an earlier version" in caplog.text


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(143), StopError()], ids=["Ctrl-C", "SIGTERM", "other"]
)
def test_a_stop_tells_how_to_go_on(error: BaseException, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer = trainer_of(tmp_path, 6)
    stop_in(trainer, 3, error)
    with pytest.raises(type(error)) as stop:
        trainer.run()
    line = "stopped in epoch 3 of 6; set `resume` to true to go on after epoch 2"
    assert line in caplog.text
    assert sys.version_info < (3, 11) or line in traceback.format_exception(stop.value)[-1]
    assert len([record for record in caplog.records if "stopped" in record.message]) == 1


def test_a_stop_before_the_first_checkpoint_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer = trainer_of(tmp_path, 6)
    stop_in(trainer, 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert "before the first checkpoint" in caplog.text


def test_sigterm_ends_a_training_in_an_orderly_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer = trainer_of(tmp_path, 6)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=5), lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as left:
        trainer.run()
    assert left.value.code == 143
    assert "go on after epoch 2" in caplog.text
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_best_metrics_and_early_stop_are_remembered(tmp_path: Path) -> None:
    def with_early_stop(epochs: int, **options: Any) -> tuple[SupervisedTrainer, EarlyStopHandler]:
        stopper = EarlyStopHandler(patience=9, score_function=lambda engine: 0.0)
        trainer = trainer_of(tmp_path, epochs, early_stopper=stopper, **options)
        stopper.set_trainer(trainer)
        return trainer, stopper

    trainer, stopper = with_early_stop(1)
    trainer.state.best_metric, trainer.state.best_metric_epoch = torch.tensor(0.5), 1
    stopper._handler.counter = 4
    trainer.run()
    trainer, stopper = with_early_stop(1, resume=True)
    trainer.run()
    assert (trainer.state.best_metric, trainer.state.best_metric_epoch) == (0.5, 1)
    assert stopper._handler.counter == 4


def test_a_slow_disk_gets_fewer_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.handlers.training_checkpoints.SHARE", 1e-9)
    trainer = trainer_of(tmp_path, 4)
    stop_in(trainer, 4, StopError())
    with pytest.raises(StopError):
        trainer.run()
    assert names(tmp_path) == ["checkpoint_epoch=1.pt"]


def test_what_is_kept_can_be_told_as_json(stopped: Path) -> None:
    progress = torch.load(stopped / "checkpoint_epoch=3.pt", weights_only=True)["progress"]
    assert json.loads(json.dumps(progress))["seconds"] > 0


@pytest.fixture(autouse=True)
def warnings_are_caught(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="mri_attention")

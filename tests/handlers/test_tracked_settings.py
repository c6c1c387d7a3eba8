"""Tests of handlers.tracked_settings with a client that keeps what it is told."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.bundle import run
from monai.handlers import MLFlowHandler

from mri_attention.handlers import TrackedSettings
from mri_attention.handlers.tracked_settings import fingerprint


class Client:
    def __init__(self, **params: str) -> None:
        self.params = params

    def get_run(self, run_id: str) -> Any:
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id), data=SimpleNamespace(params=dict(self.params)))

    def log_param(self, run_id: str, name: str, value: str) -> None:
        assert run_id == "run"
        assert name not in self.params
        self.params[name] = value


class Tracker(MLFlowHandler):
    def __init__(self, client: Client) -> None:
        self.client, self.cur_run, self.artifacts, self.run_name = client, None, (), "named"

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.start)

    def start(self, engine: Engine) -> None:
        self.cur_run = SimpleNamespace(info=SimpleNamespace(run_id="run"))


def test_settings_version_and_data_become_parameters_once(tmp_path: Path) -> None:
    bundle, image = tmp_path / "marker", tmp_path / "a.nii"
    (bundle / "configs").mkdir(parents=True)
    (bundle / "configs" / "metadata.json").write_text(json.dumps({"version": "0.2.0"}))
    image.write_text("voxels")
    engine, client = Engine(lambda engine, batch: None), Client(seed="told before")
    Tracker(client).attach(engine)
    settings = {"seed": 1, "learning_rate": 0.1, "dataset_dir": [{"image": [str(image)]}]}
    TrackedSettings(settings, bundle).attach(engine)
    engine.run([0])
    assert client.params == {
        "seed": "told before",
        "learning_rate": "0.1",
        "bundle": "marker",
        "bundle_version": "0.2.0",
        "n_cases": "1",
        "data_fingerprint": fingerprint(settings["dataset_dir"]),
    }


def test_without_tracking_nothing_happens(tmp_path: Path) -> None:
    engine = Engine(lambda engine, batch: None)
    TrackedSettings({"seed": 1}, tmp_path).attach(engine)
    assert engine.run([0]).iteration == 1


class Network(torch.nn.Linear):
    """Of one weight."""


@pytest.mark.parametrize("folder", ["out", "name + 'of a folder"])
def test_plain_monai_keeps_name_parameters_and_config(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``python -m monai.bundle run --tracking mlflow --output_dir DIR`` does; the store is a file."""
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    output = tmp_path / folder
    content = {
        "imports": ["$import torch"],
        "bundle_root": str(tmp_path),
        "experiment_name": "marker",
        "network": {"_target_": "tests.handlers.test_tracked_settings.Network", "in_features": 1, "out_features": 1},
        "train": {
            "handlers": [],
            "trainer": {
                "_target_": "SupervisedTrainer",
                "max_epochs": 1,
                "device": "cpu",
                "train_data_loader": "$[{'image': torch.ones(1, 1), 'label': torch.ones(1, 1)}]",
                "network": "@network",
                "optimizer": "$torch.optim.SGD(@network.parameters(), lr=0.1)",
                "loss_function": {"_target_": "torch.nn.L1Loss"},
                "train_handlers": "@train::handlers",
            },
        },
        "told": {
            "_target_": "mri_attention.handlers.TrackedSettings",
            "settings": {"learning_rate": 0.1},
            "bundle_root": "@bundle_root",
        },
        "run": ["$@told.attach(@train::trainer)", "$@train::trainer.run()"],
    }
    (tmp_path / "train.json").write_text(json.dumps(content))
    run(config_file=str(tmp_path / "train.json"), output_dir=str(output), tracking="mlflow", logging_file=False)
    client = MlflowClient(tracking_uri=f"sqlite:///{output / 'mlruns.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
    (tracked,) = client.search_runs([experiment.experiment_id])
    assert (experiment.name, tracked.info.run_name) == ("marker", "Network")
    assert tracked.data.params["learning_rate"] == "0.1"
    (artifact,) = client.list_artifacts(tracked.info.run_id)
    assert artifact.path.startswith("config_")


def test_fingerprint_follows_names_and_sizes_of_files_not_their_folder(tmp_path: Path) -> None:
    files = [tmp_path / folder / "a.nii" for folder in ("b", "c", "d")]
    for file, content in zip(files, ("voxels", "VOXELS", "more voxels"), strict=True):
        file.parent.mkdir()
        file.write_text(content)
    first, same, other = (fingerprint([{"image": [file]}]) for file in files)
    assert first == same
    assert first != other

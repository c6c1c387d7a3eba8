"""Tests of handlers.tracked_settings with a client that keeps what it is told."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ignite.engine import Engine, Events
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
        self.client, self.cur_run = client, None

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


def test_fingerprint_follows_names_and_sizes_of_files_not_their_folder(tmp_path: Path) -> None:
    files = [tmp_path / folder / "a.nii" for folder in ("b", "c", "d")]
    for file, content in zip(files, ("voxels", "VOXELS", "more voxels"), strict=True):
        file.parent.mkdir()
        file.write_text(content)
    first, same, other = (fingerprint([{"image": [file]}]) for file in files)
    assert first == same
    assert first != other

"""Training by several processes, as on several GPUs."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems, WeightType
from monai.fl.utils.exchange_object import ExchangeObject

from mri_attention.simulation.cohort import simulate_dataset

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
ROOT = BUNDLES / "ms_lesion_segmentation_fanet"
OVERLAYS = sorted(BUNDLES.glob("*/configs/multi_gpu_train.yaml"))
TINY = {
    "network_def::network::channels": [8, 16, 24],
    "spacing": [4.0, 4.0, 4.0],
    "patch": [24, 24, 24],
    "epochs": 2,
    "steps": 2,
    "val_interval": 1,
    "validation_share": 0.34,
    "progress": False,
}


ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def configs(folder: Path) -> list[str]:
    return [str(folder / name) for name in ("train.yaml", "multi_gpu_train.yaml")]


# What makes steps comparable: no random draws, losses that are means over items, steps linear in gradients, and double
# precision, as ReLU makes rounding grow from step to step.
PLAIN = """
loss: "$lambda pred, label: torch.nn.functional.mse_loss(pred[:, 1:].double(), label.double())"
optimizer: {_target_: torch.optim.SGD, params: "$@network.parameters()", lr: 0.1}
train::random_transforms:
- {_target_: SelectItemsd, keys: [image, label]}
- {_target_: CenterSpatialCropd, keys: [image, label], roi_size: "@patch"}
- {_target_: CastToTyped, keys: image, dtype: "$torch.float64"}
train::sampler:
  _target_: torch.utils.data.DistributedSampler
  dataset: "@train::dataset"
  num_replicas: "@world_size"
  rank: "@rank"
  shuffle: false
"""


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Six subjects, of which four are for training."""
    simulate_dataset(tmp_path / "cohort", n_subjects=6, seed=1, spacing=4.0)
    return tmp_path / "cohort"


def train_alone(names: list[str], folder: Path, **settings: Any) -> dict[str, Any]:
    """Train in this process and return the last checkpoint in ``folder``."""
    settings = {**TINY, "bundle_root": str(ROOT), "output_dir": str(folder), **settings}
    workflow = ConfigWorkflow(names, workflow_type="train", logging_file=False, **settings)
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    return last_checkpoint(folder)


def train_in_two_processes(names: list[str], folder: Path, **settings: Any) -> dict[str, Any]:
    """Train under ``torchrun`` and return the last checkpoint in ``folder``."""
    command = command_for_two(names, folder, **settings)
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stderr[-2000:]
    return last_checkpoint(folder)


def command_for_two(names: list[str], folder: Path, **settings: Any) -> list[str]:
    """Return the command that trains by two processes."""
    settings = {**TINY, "bundle_root": ROOT, "output_dir": folder, "config_file": names, **settings}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return [*launcher, "-m", "monai.bundle", "run", "training", *options]


def last_checkpoint(folder: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(folder / "models" / "checkpoint_last.pt", weights_only=True)
    return checkpoint


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_processes_do_what_one_does_with_twice_the_batch(cohort: Path, tmp_path: Path) -> None:
    single, several = configs(ROOT / "configs")
    plain, plain_several = tmp_path / "plain.yaml", tmp_path / "plain_several.yaml"
    plain.write_text(f"{PLAIN}network: $@network_def.to(@device).double()\n")
    plain_several.write_text(f"{PLAIN}network::module: $@network_def.to(@device).double()\n")
    settings = {"dataset_dir": str(cohort), "half_precision": False, "val_interval": 10}
    one = train_alone([single, str(plain)], tmp_path / "one", subjects=2, **settings)
    half = train_alone([single, str(plain)], tmp_path / "half", subjects=1, steps=2, **settings)
    two = train_in_two_processes([single, several, str(plain_several)], tmp_path / "two", subjects=1, **settings)
    assert one["trainer"]["iteration"] == two["trainer"]["iteration"] == 4
    for name, expected in one["model"].items():
        torch.testing.assert_close(two["model"][name], expected, rtol=1e-5, atol=1e-7)
    assert any((half["model"][name] - expected).abs().max() > 1e-3 for name, expected in one["model"].items())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_process_of_several_writes(cohort: Path, tmp_path: Path) -> None:
    settings = {"dataset_dir": cohort, "tracking": "mlflow", "subjects": 1}
    checkpoint = train_in_two_processes(configs(ROOT / "configs"), tmp_path / "out", **settings)
    assert checkpoint["trainer"]["iteration"] == 4
    assert all(tensor.isfinite().all() for tensor in checkpoint["model"].values())
    assert not any(name.startswith("module.") for name in checkpoint["model"])
    writers = {file.name.split(".")[-2] for file in (tmp_path / "out" / "events").iterdir()}
    assert len(writers) == 1, "curves come from one process"
    with sqlite3.connect(tmp_path / "out" / "mlruns.db") as store:
        assert store.execute("select count(*) from runs").fetchone() == (1,), "one process tracks the training"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_processes_that_are_killed_go_on_as_if_they_had_not_been(cohort: Path, tmp_path: Path) -> None:
    names, settings = configs(ROOT / "configs"), {"dataset_dir": cohort, "subjects": 1, "epochs": 5, "resume": True}
    expected = train_in_two_processes(names, tmp_path / "whole", **settings)
    command = command_for_two(names, tmp_path / "killed", **settings)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, env=ENVIRONMENT, **quiet) as running:
        while running.poll() is None and not list(tmp_path.glob("killed/models/checkpoint_epoch=*.pt")):
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
        kill_children(command)
    assert not (tmp_path / "killed" / "models" / "checkpoint_last.pt").exists()
    actual = train_in_two_processes(names, tmp_path / "killed", **settings)
    for name, tensor in expected["model"].items():
        assert torch.equal(actual["model"][name], tensor), name


def kill_children(command: list[str]) -> None:
    """Kill the processes that torchrun started, in sessions of their own, for this output folder."""
    folder = command[command.index("--output_dir") + 1].encode()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if folder in process.read_bytes().split(b"\0"):
                os.kill(int(process.parent.name), signal.SIGKILL)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=[overlay.parents[1].name for overlay in OVERLAYS])
def test_each_process_draws_subjects_of_its_own(overlay: Path) -> None:
    draws = []
    for rank in (0, 1):
        parser = ConfigParser()
        parser.read_config(configs(overlay.parent))
        assert any("idist.sync()" in str(line) for line in parser["initialize"])
        parser["parts"], parser["rank"] = [list(range(50)), []], rank
        draws.append(list(parser.get_parsed_content("train::sampler")))
    assert len(draws[0]) == len(draws[1]) == parser["steps"] * parser["subjects"]
    assert draws[0] != draws[1]


@pytest.mark.slow
def test_a_federation_trains_a_bundle(cohort: Path, tmp_path: Path) -> None:
    """MONAI's client, as NVFLARE drives it: weights come, an epoch passes, their change goes."""
    client = MonaiAlgo(
        bundle_root=ROOT.name,
        local_epochs=1,
        config_train_filename="configs/train.yaml",
        config_evaluate_filename=None,
        train_kwargs={**TINY, "dataset_dir": str(cohort), "output_dir": str(tmp_path / "site-1"), "subjects": 1},
    )
    client.initialize({ExtraItems.CLIENT_NAME: "site-1", ExtraItems.APP_ROOT: str(BUNDLES)})
    shared = {name: 0.5 * tensor for name, tensor in client.trainer.network.state_dict().items()}
    client.train(ExchangeObject(weights=shared))
    update = client.get_weights()
    assert update.weight_type == WeightType.WEIGHT_DIFF
    assert set(update.weights) == set(shared)
    changes = [float(tensor.abs().max()) for tensor in update.weights.values()]
    assert 0 < max(changes) < 1
    assert client.trainer.state.iteration == TINY["steps"]
    client.finalize()

"""Training by several processes, as on several GPUs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from mri_attention.datasets.simulation import simulate_dataset

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
ROOT = BUNDLES / "ms_lesion_segmentation_fanet"
OVERLAYS = sorted(BUNDLES.glob("*/configs/multi_gpu_train.yaml"))
TINY = {
    "network_def::channels": [8, 16, 24],
    "spacing": [4.0, 4.0, 4.0],
    "patch": [24, 24, 24],
    "epochs": 1,
    "steps": 2,
    "val_interval": 1,
    "validation_share": 0.5,
    "progress": False,
}


def configs(folder: Path) -> list[str]:
    return [str(folder / name) for name in ("train.yaml", "multi_gpu_train.yaml")]


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    simulate_dataset(tmp_path / "cohort", n_subjects=2, seed=1, spacing=4.0)
    settings = {
        "bundle_root": str(ROOT),
        "config_file": configs(ROOT / "configs"),
        "dataset_dir": str(tmp_path / "cohort"),
        "output_dir": str(tmp_path / "out"),
        **TINY,
    }
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(
        [*launcher, "-m", "monai.bundle", "run", "training", *options],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    checkpoint = torch.load(tmp_path / "out" / "models" / "checkpoint_last.pt", weights_only=True)
    assert checkpoint["trainer"]["iteration"] == 2
    assert all(tensor.isfinite().all() for tensor in checkpoint["model"].values())
    assert not any(name.startswith("module.") for name in checkpoint["model"])
    writers = {file.name.split(".")[-2] for file in (tmp_path / "out" / "events").iterdir()}
    assert len(writers) == 1, "curves come from one process"


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

"""Weights as the commands load them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mri_attention.networks.nets import FLAIRThreshold
from tests.scripts.conftest import THRESHOLD, threshold_weights

Run = Callable[..., int]


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle whose metadata tell the SHA-256 of its weights."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_bundle, folder)
    digest = hashlib.sha256((folder / "models" / "model.pt").read_bytes()).hexdigest()
    metadata = {"version": "0.0.1", "weights_sha256": {"models/model.pt": digest}}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    return folder


def masks(output: Path) -> list[str]:
    return sorted(file.name for file in output.rglob("*_label-lesion_mask.nii.gz"))


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_weights_that_were_shipped_are_used(
    command: str, run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out")
    assert run_command(command, bundle, *arguments) == 0
    assert len(masks(tmp_path / "out")) == 2


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_other_weights_in_their_place_are_refused(
    command: str,
    run_command: Run,
    bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = bundle / "models" / "model.pt"
    shipped = hashlib.sha256(model.read_bytes()).hexdigest()
    torch.save(threshold_weights(0.5), model)
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out")
    assert run_command(command, bundle, *arguments) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error")]
    found = hashlib.sha256(model.read_bytes()).hexdigest()
    assert all(text in line for text in (str(model), shipped[:12], found[:12], "--model"))
    assert not (tmp_path / "out").exists()
    own = model.replace(tmp_path / "own.pt")
    assert run_command(command, bundle, *arguments, "--model", own) == 0


def test_weights_may_be_safetensors(run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine.safetensors"
    save_file(threshold_weights(THRESHOLD), model)
    (bundle / "models" / "model.pt").unlink()
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--model", model)
    assert run_command("predict", bundle, *arguments) == 0
    assert len(masks(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no tensors", "cannot be read as weights"),
        ({"weight": torch.zeros(2, 3, 1, 1, 1)}, "1 of 2 tensors do not fit"),
        (threshold_weights(1.0) | {"more": torch.zeros(1)}, "1 of 3 tensors do not fit"),
    ],
    ids=["damaged", "less", "more"],
)
def test_safetensors_that_do_not_fit_are_refused(
    content: bytes | dict[str, torch.Tensor],
    message: str,
    run_command: Run,
    bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = tmp_path / "mine.safetensors"
    if isinstance(content, bytes):
        model.write_bytes(content)
    else:
        save_file(content, model)
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--model", model)
    assert run_command("predict", bundle, *arguments) == 2
    told = capsys.readouterr().err
    assert f"{model}: " in told
    assert message in told


def test_bundles_with_other_weights_than_told_are_not_exported(
    run_command: Run, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "docs").mkdir()
    (bundle / "docs" / "README.md").write_text("# Tiny")
    (bundle / "LICENSE").write_text("Apache-2.0")
    torch.save(threshold_weights(0.5), bundle / "models" / "model.pt")
    assert run_command("export", bundle, "--output", tmp_path / "out") == 2
    assert "not the weights that were shipped" in capsys.readouterr().err


@pytest.mark.parametrize(("threshold", "is_found"), [(2.0, True), (4.0, False)])
def test_chosen_values_of_a_network_without_parameters_are_used(
    threshold: float, is_found: bool, run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    """What fit found for a threshold must not give way to its default, which lies between the two given here."""
    overlay = "network_def: {_target_: mri_attention.networks.nets.FLAIRThreshold, threshold: 3.5, smoothing: 0.0}"
    (bundle / "configs" / "networks" / "threshold.yaml").write_text(overlay)
    model, output = tmp_path / "fitted.pt", tmp_path / "out"
    torch.save({"model": FLAIRThreshold(threshold, smoothing=0).state_dict()}, model)
    baseline = f"networks/threshold={model}"
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", output, "--baseline", baseline)
    assert run_command("evaluate", bundle, *arguments) == 0
    mask = nib.load(output / "baselines" / "threshold" / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz")
    assert np.asarray(mask.dataobj).any() == is_found


def test_network_without_parameters_needs_no_weights(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    overlay = "network_def: {_target_: mri_attention.networks.nets.FLAIRThreshold, threshold: 2.0}"
    (bundle / "configs" / "networks" / "threshold.yaml").write_text(overlay)
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--overlay", "networks/threshold")
    assert run_command("evaluate", bundle, *arguments) == 0

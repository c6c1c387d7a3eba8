"""Tests of compare --leave-one-out with a network of one convolution: folders, values, going on, other settings."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mri_attention.handlers import EpochSeeds
from mri_attention.handlers.checkpoint_files import read_checkpoint

from .conftest import CONTRASTS, SHAPE, lesion_mask, write_image

Run = Callable[..., int]

TRAIN = """
bundle_root: .
dataset_dir: $@bundle_root + '/data'
output_dir: $@bundle_root + '/eval'
device: $torch.device('cpu')
imports: [$import torch]
contrasts: [T1w, T2w, FLAIR]
label: label-lesion_mask
allow_nan: false
selection: {}
cases:
  _target_: mri_attention.datasets.find_cases
  dataset_dir: '@dataset_dir'
  contrasts: '@contrasts'
  label: '@label'
  selection: '@selection'
extra_cases: []
extra_weights: []
validation_share: 0.5
epochs: 3
steps: 2
seed: 0
learning_rate: 0.01
resume: false
progress: true
val_interval: 1
parts: {_target_: mri_attention.datasets.split, cases: '@cases', fraction: '@validation_share', seed: '@seed'}
network_def: {_target_: torch.nn.Conv3d, in_channels: 3, out_channels: 2, kernel_size: 1}
network: $@network_def.to(@device)
optimizer: $torch.optim.Adam(@network.parameters(), lr=@learning_rate)
train:
  preprocessing:
    _target_: Compose
    transforms:
    - {_target_: mri_attention.transforms.LoadContrastsd, contrasts: '@contrasts'}
    - {_target_: mri_attention.transforms.LoadLabeld}
  dataset: {_target_: Dataset, data: '$@parts[0] + @extra_cases', transform: '@train::preprocessing'}
  sampler:
    _target_: torch.utils.data.WeightedRandomSampler
    weights: $[1.0] * len(@train::dataset::data)
    num_samples: '@steps'
    generator: $torch.Generator().manual_seed(@seed)
  dataloader: {_target_: DataLoader, dataset: '@train::dataset', batch_size: 1, sampler: '@train::sampler'}
  trainer:
    _target_: SupervisedTrainer
    max_epochs: '@epochs'
    device: '@device'
    train_data_loader: '@train::dataloader'
    network: '@network'
    optimizer: '@optimizer'
    loss_function: {_target_: DiceCELoss, to_onehot_y: true, softmax: true}
training_folder: {_target_: mri_attention.handlers.claim_folder, folder: $@output_dir + '/models', resume: '@resume'}
checkpointing:
- {_target_: mri_attention.handlers.EpochSeeds, seed: '@seed'}
- _target_: mri_attention.handlers.TrainingCheckpoints
  folder: $@output_dir + '/models'
  objects: {model: '@network', optimizer: '@optimizer', trainer: '@train::trainer'}
  resume: '@resume'
initialize:
- '@training_folder'
- $monai.utils.set_determinism(seed=@seed)
- $[handler.attach(@train::trainer) for handler in @checkpointing]
run: [$@train::trainer.run()]
"""


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle, which can be trained on cases."""
    copy = Path(shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("bundles") / "tiny"))
    (copy / "configs" / "train.yaml").write_text(TRAIN)
    return copy


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients, the first with two visits; the FLAIR is brighter in lesions."""
    dataset = tmp_path_factory.mktemp("patients")
    head = np.zeros(SHAPE, dtype=np.float32)
    head[2:-2, 2:-2, 1:-1] = 1
    for number, visit in enumerate(("sub-01/ses-1", "sub-01/ses-2", "sub-02", "sub-03")):
        name = visit.replace("/", "_")
        for contrast in CONTRASTS:
            image = head * (1 + 0.1 * number) + 2 * lesion_mask() * (contrast == "FLAIR")
            write_image(dataset / visit / "anat" / f"{name}_{contrast}.nii.gz", image)
        truth = dataset / "derivatives" / "truth" / visit / "anat" / f"{name}_label-lesion_mask.nii.gz"
        write_image(truth, lesion_mask())
    return dataset


@pytest.fixture
def arguments(bundle: Path, patients: Path, tmp_path: Path) -> list[Any]:
    return ["compare", bundle, "--dataset-dir", patients, "--leave-one-out", "--output-dir", tmp_path / "out"]


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "metrics.csv").open()))


def test_every_patient_is_left_out_once(arguments: list[Any], tmp_path: Path, run_command: Run) -> None:
    assert run_command(*arguments, "--networks", "default,other", "--seeds", 2) == 0
    out = tmp_path / "out"
    rows = rows_of(out)
    assert list(rows[0])[:6] == ["left_out", "visit", "network", "seed", "dice", "lesion_f1"]
    visits = [("sub-01", "ses-1"), ("sub-01", "ses-2"), ("sub-02", ""), ("sub-03", "")]
    expected = {(*visit, network, seed) for visit in visits for network in ("default", "other") for seed in "01"}
    assert len(rows) == len(expected)
    assert {(row["left_out"], row["visit"], row["network"], row["seed"]) for row in rows} == expected
    plan = json.loads((out / "left-out-sub-01" / "plan.json").read_text())
    assert [case["subject"] for case in plan["training cases"]] == ["sub-02", "sub-03"]
    for name in ("report.html", "metrics.csv", "default-1/models/checkpoint_last.pt", "first_case.png"):
        assert (out / "left-out-sub-02" / name).is_file()
    assert list((out / "left-out-sub-02" / "other-0" / "test").rglob("*_label-lesion_mask.nii.gz"))
    of_patient = [row["dice"] for row in rows_of(out / "left-out-sub-02")]
    assert of_patient == [row["dice"] for row in rows if row["left_out"] == "sub-02"]
    content = json.loads((out / "comparison.json").read_text())
    own = [float(row["dice"]) for row in rows if (row["left_out"], row["network"]) == ("sub-01", "default")]
    assert content["networks"][0]["patients"]["sub-01"]["dice"] == pytest.approx(np.mean(own), abs=1e-5)
    text = (out / "comparison.md").read_text()
    assert all(f"| {name} |" in text for name in ("sub-01", "sub-03", "sd over patients", "difference from other"))
    page = (out / "report.html").read_text()
    assert page.count("data:image/png") == 5
    assert 'href="left-out-sub-03/report.html"' in page


def test_what_is_finished_is_read_and_tests_of_it_go_on(
    arguments: list[Any], tmp_path: Path, run_command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*arguments, "--networks", "default", "--seeds", 1]
    assert run_command(*command) == 0
    before = rows_of(tmp_path / "out")
    (tmp_path / "out" / "left-out-sub-02" / "default-0" / "training.json").unlink()
    monkeypatch.setattr(EpochSeeds, "reseed", stop_in(1))
    assert run_command(*command) == 0
    assert rows_of(tmp_path / "out") == before


def stop_in(epoch: int) -> Callable[[Any, Any], None]:
    """Return what stops in place of the seeds' handler when ``epoch`` starts."""
    reseed = EpochSeeds.reseed

    def stop(self: EpochSeeds, engine: Any) -> None:
        if engine.state.epoch == epoch:
            raise KeyboardInterrupt
        reseed(self, engine)

    return stop


def test_a_training_that_was_stopped_goes_on_and_ends_as_if_it_had_not(
    arguments: list[Any],
    tmp_path: Path,
    run_command: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = [*arguments, "--networks", "default", "--seeds", 1]
    folder = tmp_path / "out" / "left-out-sub-01" / "default-0"
    with monkeypatch.context() as stopping:
        stopping.setattr(EpochSeeds, "reseed", stop_in(3))
        assert run_command(*command) == 130
    assert "stopped; the same command goes on" in capsys.readouterr().err.replace("\n", " ")
    assert (folder / "models" / "checkpoint_epoch=1.pt").is_file()
    with monkeypatch.context() as stopping:
        stopping.setattr(EpochSeeds, "reseed", stop_in(1))
        assert run_command(*command) == 130  # in the training after this one
    assert (folder / "training.json").is_file()
    assert run_command(*arguments[:-1], tmp_path / "whole", "--networks", "default", "--seeds", 1) == 0
    whole = tmp_path / "whole" / folder.relative_to(tmp_path / "out")
    ours, theirs = (read_checkpoint(each / "models" / "checkpoint_last.pt") for each in (folder, whole))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours["model"][name], theirs["model"][name]) for name in theirs["model"])


def test_a_training_without_whole_checkpoint_starts_over(
    arguments: list[Any],
    tmp_path: Path,
    run_command: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = [*arguments, "--networks", "default", "--seeds", 1]
    folder = tmp_path / "out" / "left-out-sub-01" / "default-0"
    with monkeypatch.context() as stopping:
        stopping.setattr(EpochSeeds, "reseed", stop_in(2))
        assert run_command(*command) == 130
    (file,) = folder.glob("models/*.pt")
    file.write_bytes(file.read_bytes()[:100])
    assert run_command(*command) == 0


def test_a_training_begun_with_other_settings_starts_over(
    arguments: list[Any],
    bundle: Path,
    tmp_path: Path,
    run_command: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    command = [arguments[0], copy, *arguments[2:], "--networks", "default", "--seeds", 1]
    with monkeypatch.context() as stopping:
        stopping.setattr(EpochSeeds, "reseed", stop_in(3))
        assert run_command(*command) == 130
    (copy / "configs" / "train.yaml").write_text(TRAIN.replace("learning_rate: 0.01", "learning_rate: 0.02"))
    capsys.readouterr()
    assert run_command(*command) == 0
    folder = tmp_path / "out" / "left-out-sub-01" / "default-0"
    assert f"Warning: {folder}: begun with other settings, so it starts over" in capsys.readouterr().err
    checkpoint = read_checkpoint(folder / "models" / "checkpoint_last.pt")
    assert checkpoint is not None
    assert checkpoint["trainer"]["iteration"] == 6


def test_trained_networks_are_tested_otherwise(arguments: list[Any], tmp_path: Path, run_command: Run) -> None:
    assert run_command(*arguments, "--networks", "default", "--seeds", 1) == 0
    again = [*arguments[:-1], tmp_path / "again", "--trained-dir", tmp_path / "out", "--networks", "default"]
    vary = ["--vary", "allow_nan,postprocessing::transforms::0::argmax=False:True,True:True"]
    assert run_command(*again, "--seeds", 1, *vary) == 0
    found = rows_of(tmp_path / "again")
    assert [row["allow_nan"] for row in found[:2]] == ["False", "False"]
    assert {row["allow_nan"] for row in found} == {"False", "True"}
    before = [row["dice"] for row in rows_of(tmp_path / "out")]
    assert [row["dice"] for row in found if row["allow_nan"] == "True"] == before
    assert not list((tmp_path / "again").rglob("*.pt"))
    text = (tmp_path / "again" / "comparison.md").read_text()
    assert "**default allow_nan-True_argmax-True**" in text
    one = [*again[:-2], "--networks", "default", "--seeds", 1, "--subject", "02", "--output-dir", tmp_path / "one"]
    assert run_command(*one) == 0
    assert {row["left_out"] for row in rows_of(tmp_path / "one")} == {"sub-02"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--subject", "01"], "--leave-one-out: sub-01 is the only patient, which leaves nobody to train on"),
        (["--test-share", "0.2"], "--test-share: has no meaning with --leave-one-out"),
        (["--test-dataset-dir", "other"], "--test-dataset-dir: has no meaning with --leave-one-out"),
        (["--learning-rates", "1e-3,1e-2"], "--learning-rates: has no meaning with --leave-one-out"),
        (["--trained-dir", "nowhere"], "no such training; give the output folder of an earlier compare"),
        (["--vary", "nothing=1,2"], "nothing"),
        (["--networks", ","], "nothing to compare; give a name, such as default"),
    ],
)
def test_what_has_no_meaning_is_refused(
    given: list[str], message: str, arguments: list[Any], run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(*arguments, "--networks", "default", *given) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1

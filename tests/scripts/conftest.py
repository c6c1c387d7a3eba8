"""A bundle that thresholds the FLAIR, and two heads with lesions, for the tests of the commands."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
import yaml

from mri_attention.scripts.cli import main
from mri_attention.scripts.exports.exported_bundle import write_bundle
from mri_attention.scripts.running.bundle import code_of
from mri_attention.scripts.running.third_parties import TALKATIVE
from tests.scripts.sharpening_bundle import write_sharpening_bundle

SHAPE = (24, 20, 16)
AFFINE = np.array([[-1.5, 0, 0, 20], [0, 1.5, 0, -15], [0, 0, 2, -10], [0, 0, 0, 1.0]])
CONTRASTS = ("T1w", "T2w", "FLAIR")
THRESHOLD = 2.0

INFERENCE = """
bundle_root: .
dataset_dir: $@bundle_root + '/data'
output_dir: $@bundle_root + '/eval'
model_file: $@bundle_root + '/models/model.pt'
device: $torch.device('cpu')
contrasts: [T1w, T2w, FLAIR]
register: false
allow_nan: false
selection: {}
cases:
  _target_: mri_attention.datasets.find_cases
  dataset_dir: '@dataset_dir'
  contrasts: '@contrasts'
  selection: '@selection'
imports: [$import os, $import torch]
network_def: {_target_: torch.nn.Conv3d, in_channels: 3, out_channels: 2, kernel_size: 1}
network: $@network_def.to(@device)
preprocessing:
  _target_: Compose
  transforms:
  - _target_: mri_attention.transforms.load_contrasts.LoadContrastsd
    contrasts: '@contrasts'
    register: '@register'
    allow_nan: '@allow_nan'
  - {_target_: mri_attention.transforms.ApplyBrainMaskd, keys: image}
dataset: {_target_: Dataset, data: '@cases', transform: '@preprocessing'}
dataloader: {_target_: DataLoader, dataset: '@dataset', batch_size: 1, shuffle: false, num_workers: 0}
inferer: {_target_: SimpleInferer}
postprocessing:
  _target_: Compose
  transforms:
  - {_target_: AsDiscreted, keys: pred, argmax: true}
  - _target_: mri_attention.transforms.save_derivative.SaveDerivatived
    keys: pred
    output_dir: '@output_dir'
    suffixes: label-lesion_mask
    dtypes: uint8
handlers:
- _target_: CheckpointLoader
  _disabled_: $not os.path.exists(@model_file)
  load_path: '@model_file'
  load_dict: {model: '@network'}
evaluator:
  _target_: SupervisedEvaluator
  device: '@device'
  val_data_loader: '@dataloader'
  network: '@network'
  inferer: '@inferer'
  postprocessing: '@postprocessing'
  val_handlers: '@handlers'
run: [$@evaluator.run()]
"""

EVALUATE = """
cases::label: label-lesion_mask
+preprocessing::transforms:
- {_target_: mri_attention.transforms.LoadLabeld}
metric_inputs: $monai.handlers.from_engine(['pred', 'label'])
evaluator::key_val_metric:
  dice:
    _target_: IgniteMetricHandler
    metric_fn: {_target_: mri_attention.metrics.LesionMetrics, columns: DSC}
    output_transform: '@metric_inputs'
  lesion_f1:
    _target_: IgniteMetricHandler
    metric_fn: {_target_: mri_attention.metrics.LesionMetrics, columns: L-F1}
    output_transform: '@metric_inputs'
"""

TRAIN = """
bundle_root: .
dataset_dir: $@bundle_root + '/data'
output_dir: $@bundle_root + '/eval'
device: $torch.device('cpu')
imports: [$import torch]
network_def: {_target_: torch.nn.Conv3d, in_channels: 3, out_channels: 2, kernel_size: 1}
max_epochs: 2
n_channels: {image: 3, label: 1}
train:
  dataset:
    _target_: Dataset
    data: [{image: 1.0, label: 0.0}, {image: 2.0, label: 1.0}]
    transform: '$lambda case: {key: torch.full((n, 4, 4, 4), case[key]) for key, n in @n_channels.items()}'
  dataloader: {_target_: DataLoader, dataset: '@train::dataset', batch_size: 1, num_workers: 0}
  handlers:
  - _target_: CheckpointSaver
    save_dir: $@output_dir + '/models'
    save_dict: {model: '@network_def'}
    save_final: true
    final_filename: model.pt
  trainer:
    _target_: SupervisedTrainer
    max_epochs: '@max_epochs'
    device: '@device'
    train_data_loader: '@train::dataloader'
    network: '@network_def'
    optimizer: $torch.optim.SGD(@network_def.parameters(), lr=1e-3)
    loss_function: {_target_: DiceCELoss, to_onehot_y: true, softmax: true}
    train_handlers: '@train::handlers'
initialize: [$@train::trainer]
run: [$@train::trainer.run()]
"""


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose network marks voxels with a FLAIR above ``THRESHOLD``."""
    bundle = tmp_path_factory.mktemp("bundles") / "tiny"
    (bundle / "configs" / "networks").mkdir(parents=True)
    (bundle / "models").mkdir()
    (bundle / "configs" / "metadata.json").write_text(json.dumps({"version": "0.0.1"}))
    for name, content in {"inference": INFERENCE, "evaluate": EVALUATE, "train": TRAIN}.items():
        (bundle / "configs" / f"{name}.yaml").write_text(content)
    nothing = {"network_def": {"_target_": "torch.nn.Conv3d", "in_channels": 3, "out_channels": 2, "kernel_size": 1}}
    (bundle / "configs" / "networks" / "other.yaml").write_text(yaml.safe_dump(nothing))
    torch.save(threshold_weights(THRESHOLD), bundle / "models" / "model.pt")
    return bundle


def threshold_weights(threshold: float) -> dict[str, torch.Tensor]:
    """Return weights by which the second channel wins where the FLAIR exceeds ``threshold``."""
    weight = torch.zeros(2, 3, 1, 1, 1)
    weight[1, 2] = 1
    return {"weight": weight, "bias": torch.tensor([threshold, 0.0])}


def lesion_mask() -> np.ndarray:
    """Return a mask with two lesions, of 27 and 4 voxels."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[5:8, 6:9, 4:7] = 1
    mask[15:17, 12:14, 10] = 1
    return mask


def write_image(path: Path, data: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    """Write ``data`` as NIfTI, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Path:
    """Two subjects; the FLAIR is 1 in the head and 3 in the lesions, which the tiny bundle finds."""
    dataset = tmp_path / "dataset"
    head = np.zeros(SHAPE, dtype=np.float32)
    head[2:-2, 2:-2, 1:-1] = 1
    for subject in ("sub-01", "sub-02"):
        for contrast in CONTRASTS:
            image = head + 2 * lesion_mask() if contrast == "FLAIR" else head
            write_image(dataset / subject / "anat" / f"{subject}_{contrast}.nii.gz", image)
        label = dataset / "derivatives" / "truth" / subject / "anat" / f"{subject}_label-lesion_mask.nii.gz"
        write_image(label, lesion_mask())
    return dataset


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a network of ours, exported; the code is in it."""
    source = tmp_path_factory.mktemp("source") / "sharpen"
    write_sharpening_bundle(source)
    folder = tmp_path_factory.mktemp("exported") / "sharpen"
    folder.mkdir()
    write_bundle(source, folder)
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An unrelated working directory, in which nothing may be left; no bundle's code is known."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    with code_of(tmp_path / "no bundle"):
        yield folder
    assert not list(folder.iterdir())


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Run ``mri-attention`` in this process and return its exit code; undo what it does to logging."""
    root = logging.getLogger()
    handlers, levels = list(root.handlers), {name: logging.getLogger(name).level for name in TALKATIVE}
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("MRI_ATTENTION_DEBUG", raising=False)

    def run(*arguments: object) -> int:
        with pytest.raises(SystemExit) as finished, warnings.catch_warnings():
            main([str(argument) for argument in arguments])
        return int(finished.value.code or 0)

    yield run
    root.handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)

"""A small bundle with a network of this package, to be exported; it trains without files."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from mri_attention.networks.nets import SRCNN3D

INFERENCE = """
imports: [$import torch]
bundle_root: .
dataset_dir: $@bundle_root + '/data'
output_dir: $@bundle_root + '/eval'
experiment_name: sharpen
model_file: $@bundle_root + '/models/model.pt'
device: $torch.device('cpu')
cases: [{image: 1.0, label: 2.0}]
network_def: {_target_: mri_attention.networks.nets.SRCNN3D, scale: 1, channels: [2], kernel_sizes: [1, 1]}
network: $@network_def.to(@device)
preprocessing: {_target_: Lambdad, keys: [image, label], func: '$lambda value: torch.full((1, 4, 4, 4), value)'}
dataset: {_target_: Dataset, data: '@cases', transform: '@preprocessing'}
dataloader: {_target_: DataLoader, dataset: '@dataset', batch_size: 1, num_workers: 0}
inferer: {_target_: SimpleInferer}
handlers:
- {_target_: mri_attention.handlers.WeightsLoader, file: '@model_file', network: '@network'}
evaluator:
  _target_: SupervisedEvaluator
  device: '@device'
  val_data_loader: '@dataloader'
  network: '@network'
  inferer: '@inferer'
  val_handlers: '@handlers'
initialize:
- $monai.utils.set_determinism(seed=0)
run:
- {_target_: mri_attention.datasets.require_same_place, path: '@output_dir'}
- $@evaluator.run()
"""

EVALUATE = """
evaluator::key_val_metric:
  error: {_target_: MeanAbsoluteError, output_transform: "$monai.handlers.from_engine(['pred', 'label'])"}
"""

TRAIN = """
imports: [$import torch]
bundle_root: .
dataset_dir: $@bundle_root + '/data'
output_dir: $@bundle_root + '/eval'
experiment_name: sharpen
device: $torch.device('cpu')
cases: {_target_: mri_attention.datasets.find_cases, dataset_dir: '@dataset_dir', contrasts: [T1w]}
network_def: {_target_: mri_attention.networks.nets.SRCNN3D, scale: 1, channels: [2], kernel_sizes: [1, 1]}
network: $@network_def.to(@device)
train:
  dataset:
    _target_: Dataset
    data: [{image: 1.0, label: 2.0}, {image: 2.0, label: 4.0}]
    transform: {_target_: Lambdad, keys: [image, label], func: '$lambda value: torch.full((1, 4, 4, 4), value)'}
  dataloader: {_target_: DataLoader, dataset: '@train::dataset', batch_size: 1, num_workers: 0}
  inferer: {_target_: SimpleInferer}
  handlers: []
  trainer:
    _target_: SupervisedTrainer
    max_epochs: 2
    device: '@device'
    train_data_loader: '@train::dataloader'
    network: '@network'
    optimizer: $torch.optim.SGD(@network.parameters(), lr=1e-2)
    loss_function: {_target_: torch.nn.L1Loss}
    inferer: '@train::inferer'
    train_handlers: '@train::handlers'
training_folder: {_target_: mri_attention.handlers.claim_folder, folder: $@output_dir + '/models'}
initialize: ["$monai.utils.set_determinism(seed=0)"]
prepare: ['@training_folder']
run: ['@prepare', $@train::trainer.run()]
"""


def small_network() -> SRCNN3D:
    torch.manual_seed(3)
    network = SRCNN3D(scale=1, channels=[2], kernel_sizes=[1, 1])
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 0.9)
    return network.eval()


def write_sharpening_bundle(source: Path) -> None:
    """Write the bundle into the new folder ``source``."""
    for part in ("configs", "docs", "models"):
        (source / part).mkdir(parents=True)
    metadata = {"version": "0.1.0", "monai_version": "1.6.1", "pytorch_version": "2.13.0", "numpy_version": "2.2.6"}
    (source / "configs" / "metadata.json").write_text(json.dumps(metadata))
    for name, text in {"inference": INFERENCE, "evaluate": EVALUATE, "train": TRAIN}.items():
        (source / "configs" / f"{name}.yaml").write_text(text)
    (source / "docs" / "README.md").write_text("# Sharpen\n")
    (source / "LICENSE").write_text("Apache-2.0")
    torch.save(small_network().state_dict(), source / "models" / "model.pt")

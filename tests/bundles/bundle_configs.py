"""The bundles in this repository: their configs, parsed and run by the tests, with networks that train in a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser, ConfigWorkflow

from mri_attention.datasets import InputError
from mri_attention.scripts.running.bundle import BUNDLES

TINY: dict[str, dict[str, Any]] = {
    "brain_super_resolution_cftn": {
        "network_def::channels": 4,
        "network_def::n_blocks": 2,
        "network_def::projections": [1],
    },
    "guided_reconstruction_manet": {"network_def::width": 4},
    "guided_super_resolution_sanet": {"network_def::network::n_stages": 1, "network_def::network::n_blocks": 1},
    "ms_lesion_segmentation_fanet": {"network_def::network::channels": [8, 16, 24], "spacing": [4.0, 4.0, 4.0]},
    "qsm_reconstruction_fanet": {
        "classical": {"method": "tikhonov", "weight": 0.01},
        "network_def::channels": [4, 8],
        "patch": [16, 16, 16],
    },
}
"""Overrides of training and inference."""

SHORT: dict[str, dict[str, Any]] = {
    "brain_super_resolution_cftn": {"patch": 8},
    "guided_reconstruction_manet": {"matrix": [48, 40], "spacing": 4.0, "validation_slices": 2},
    "guided_super_resolution_sanet": {"patch": [24, 24]},
    "ms_lesion_segmentation_fanet": {"patch": [24, 24, 24]},
    "qsm_reconstruction_fanet": {},
}
"""Overrides of training alone."""


@dataclass(frozen=True)
class BundleConfigs:
    """Configs of the bundle ``name``; several are a config and its overlays."""

    name: str

    @property
    def root(self) -> Path:
        return BUNDLES / self.name

    @property
    def tiny(self) -> dict[str, Any]:
        return TINY[self.name]

    @property
    def short(self) -> dict[str, Any]:
        once = {"epochs": 1, "steps": 2, "val_interval": 1, "validation_share": 0.5, "progress": False}
        return {**self.tiny, **once, **SHORT[self.name]}

    def overlays(self, folder: str = "networks") -> list[str]:
        return sorted(f"{folder}/{file.stem}" for file in (self.root / "configs" / folder).glob("*.yaml"))

    def files(self, *names: str) -> list[str]:
        return [str(self.root / "configs" / f"{name}.yaml") for name in names]

    def parse(self, *names: str, **overrides: Any) -> ConfigParser:
        parser = ConfigParser()
        parser.read_config(self.files(*names))
        parser.update({"bundle_root": str(self.root), **overrides})
        return parser

    def prepared(self, kind: str, names: tuple[str, ...], **overrides: Any) -> ConfigWorkflow:
        workflow = ConfigWorkflow(
            self.files(*names), workflow_type=kind, logging_file=False, bundle_root=str(self.root), **overrides
        )
        workflow.initialize()
        return workflow

    def run(self, kind: str, names: tuple[str, ...], **overrides: Any) -> ConfigWorkflow:
        workflow = self.prepared(kind, names, **overrides)
        workflow.run()
        workflow.finalize()
        return workflow

    def train(self, output: Path, dataset: Path, *overlays: str, **overrides: Any) -> ConfigWorkflow:
        settings = {"dataset_dir": str(dataset), "output_dir": str(output), **self.short, **overrides}
        return self.run("train", ("train", *overlays), **settings)

    def infer(self, output: Path, *overlays: str, **overrides: Any) -> ConfigWorkflow:
        """Run inference, without weights where none are given."""
        without = {} if "model_file" in overrides else {"handlers::0::_disabled_": True}
        settings = {"output_dir": str(output), **without, **overrides}
        return self.run("infer", ("inference", *overlays), **settings)


ALL = [BundleConfigs(file.parents[1].name) for file in sorted(BUNDLES.glob("*/configs/metadata.json"))]


def input_error(error: BaseException | None) -> str:
    """Return the message of the ``InputError`` that led to ``error``, or nothing."""
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
    return "" if error is None else str(error)

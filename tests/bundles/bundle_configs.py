"""The configs of a bundle in this repository, parsed and run by its tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser, ConfigWorkflow

from mri_attention.scripts.running.bundles import BUNDLES


@dataclass(frozen=True)
class BundleConfigs:
    """Configs of the bundle ``name``; several are a config and its overlays."""

    name: str

    @property
    def root(self) -> Path:
        return BUNDLES / self.name

    def files(self, *names: str) -> list[str]:
        return [str(self.root / "configs" / f"{name}.yaml") for name in names]

    def parse(self, *names: str, **overrides: Any) -> ConfigParser:
        parser = ConfigParser()
        parser.read_config(self.files(*names))
        parser.update({"bundle_root": str(self.root), **overrides})
        return parser

    def run(self, kind: str, names: tuple[str, ...], **overrides: Any) -> ConfigWorkflow:
        workflow = ConfigWorkflow(
            self.files(*names), workflow_type=kind, logging_file=False, bundle_root=str(self.root), **overrides
        )
        workflow.initialize()
        workflow.run()
        workflow.finalize()
        return workflow

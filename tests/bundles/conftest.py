"""A tiny cohort, on which each bundle is trained and evaluated once for all tests of a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from monai.bundle import ConfigWorkflow

from mri_attention.simulation.cohort import simulate_dataset
from tests.bundles.bundle_configs import BundleConfigs

Evaluated = tuple[Path, ConfigWorkflow]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    simulate_dataset(folder, n_subjects=2, seed=1, spacing=4.0, susceptibility=True)
    return folder


@pytest.fixture(scope="session")
def train_once(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[BundleConfigs], Path]:
    @cache
    def train(bundle: BundleConfigs) -> Path:
        output = tmp_path_factory.mktemp("training")
        bundle.train(output, dataset)
        return output

    return train


@pytest.fixture(scope="session")
def evaluate_once(
    train_once: Callable[[BundleConfigs], Path], dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[BundleConfigs], Evaluated]:
    @cache
    def evaluate(bundle: BundleConfigs) -> Evaluated:
        output = tmp_path_factory.mktemp("evaluation")
        model = str(train_once(bundle) / "models" / "model.pt")
        overlays = ("lesions",) if Path(*bundle.files("lesions")).exists() else ()
        settings = {"dataset_dir": str(dataset), "model_file": model, **bundle.tiny}
        return output, bundle.infer(output, "evaluate", *overlays, **settings)

    return evaluate


@pytest.fixture(scope="module")
def bundle(request: pytest.FixtureRequest) -> BundleConfigs:
    configs: BundleConfigs = request.module.BUNDLE
    return configs


@pytest.fixture(scope="module")
def trained(bundle: BundleConfigs, train_once: Callable[[BundleConfigs], Path]) -> Path:
    """Folder of a training of one epoch."""
    return train_once(bundle)


@pytest.fixture(scope="module")
def evaluated(bundle: BundleConfigs, evaluate_once: Callable[[BundleConfigs], Evaluated]) -> Evaluated:
    """Folder of the results of the trained network, and the workflow that wrote them."""
    return evaluate_once(bundle)

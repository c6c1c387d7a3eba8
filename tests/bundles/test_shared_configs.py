"""What the configs of the bundles share is equal, and they stay short."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bundles.bundle_configs import ALL, BundleConfigs

SHARED = {
    "train": """
bundle_root dataset_dir selection output_dir device rank world_size is_not_rank0 allow_nan early_stop patience resume
minutes checkpoint_minutes start_from progress compile num_workers seed extra_cases extra_weights parts optimizer
half_precision train::sampler train::dataloader train::handlers train::trainer checkpoint training_folder constants
checkpointing validate::dataloader validate::handlers validate::evaluator initialize prepare run
training""",
    "inference": """
bundle_root dataset_dir selection output_dir overwrite device allow_nan cases dataset dataloader handlers evaluator
initialize run inference""",
}
"""Ids whose content is the same in every bundle."""

EXCEPTIONS = {
    ("train", "half_precision::choose::shape"): "patches and channels differ",
    ("train", "half_precision::choose::dtypes"): "k-space comes with a guide and a mask",
    ("train", "train::handlers::1"): "a schedule that warms up goes by steps, not by epochs",
    ("train", "train::trainer::prepare_batch"): "k-space comes with a guide and a mask",
    ("train", "validate::evaluator::prepare_batch"): "as in training",
    ("train", "validate::evaluator::network"): "lesions are validated with averaged weights",
    ("train", "validate::handlers::2::network"): "as validated",
    ("train", "validate::evaluator::val_handlers"): "the handler that tells of networks which add nothing",
    ("train", "checkpoint::model"): "as validated",
    ("train", "checkpoint::network"): "what is trained, where the weights that are kept are averages",
    ("train", "train::trainer::train_handlers"): "the handler that averages",
    ("train", "validate::evaluator::additional_metrics"): "not every bundle validates with a second metric",
    ("train", "validate::evaluator::metric_cmp_fn"): "an error is the better the smaller it is",
    ("inference", "evaluator::prepare_batch"): "as in training",
    ("inference", "cases::optional"): "lesions are found without some contrasts, images are not made without",
}
"""Parts of them in which bundles differ, and why."""

LONGEST = {"train": 157, "inference": 86}
"""Lines of a config."""

SUBSCRIPTED = {"parts", "contrasts", "results"}
"""Lists from which expressions take items by their number; none of steps."""

each_bundle = pytest.mark.parametrize("bundle", ALL, ids=lambda bundle: bundle.name)


def read(config: str) -> list[dict[str, Any]]:
    """Parse the YAML of every bundle; nothing is evaluated."""
    return [yaml.safe_load(Path(*bundle.files(config)).read_text()) for bundle in ALL]


def find(content: Any, name: str) -> Any:
    """Return what an id stands for, or None where there is no such id."""
    for part in name.split("::"):
        content = content[int(part)] if isinstance(content, list) else content.get(part)
    return content


def without_exceptions(config: str) -> list[dict[str, Any]]:
    contents = read(config)
    for _, name in (pair for pair in EXCEPTIONS if pair[0] == config):
        place, _, last = name.rpartition("::")
        for content in contents:
            parent = find(content, place)
            parent[int(last) if isinstance(parent, list) else last] = None
    return contents


@pytest.mark.parametrize(("config", "name"), [(config, name) for config in SHARED for name in SHARED[config].split()])
def test_what_is_shared_is_equal(config: str, name: str) -> None:
    contents = without_exceptions(config)
    first, *others = [find(content, name) for content in contents]
    assert all(name.partition("::")[0] in content for content in contents)
    assert others == [first] * len(others)


@pytest.mark.parametrize(("config", "name"), EXCEPTIONS)
def test_every_exception_is_one(config: str, name: str) -> None:
    first, *others = [find(content, name) for content in read(config)]
    assert others != [first] * len(others)


@each_bundle
@pytest.mark.parametrize("config", LONGEST)
def test_a_config_is_short(config: str, bundle: BundleConfigs) -> None:
    assert len(Path(*bundle.files(config)).read_text().splitlines()) <= LONGEST[config]


@each_bundle
def test_steps_are_not_selected_by_position(bundle: BundleConfigs) -> None:
    text = "".join(file.read_text() for file in (bundle.root / "configs").rglob("*.yaml"))
    assert set(re.findall(r"@([\w:]+)\[", text)) <= SUBSCRIPTED


@each_bundle
def test_names_in_configs_are_no_modules(bundle: BundleConfigs) -> None:
    text = "".join(file.read_text() for file in (bundle.root / "configs").rglob("*.yaml"))
    names = set(re.findall(r"\bmri_attention\.[\w.]+", text))
    assert names
    assert not [name for name in names if is_module(name)], "in a shared bundle MONAI takes the module for the function"


def is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, or there is none
        return False


@each_bundle
@pytest.mark.parametrize("config", ["train", "inference"])
def test_experiments_in_mlflow_are_named_after_the_bundle(config: str, bundle: BundleConfigs) -> None:
    assert yaml.safe_load(Path(*bundle.files(config)).read_text())["experiment_name"] == bundle.name

"""Tests of scripts.bundles."""

from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running.bundles import (
    BUNDLES,
    build_workflow,
    find_bundle,
    find_configs,
    network_name,
    parse_overrides,
)


def test_finds_a_bundle_by_path(tiny_bundle: Path) -> None:
    assert find_bundle(str(tiny_bundle)) == tiny_bundle


def test_finds_each_bundle_of_the_package_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [file.parents[1] for file in BUNDLES.glob("*/configs/metadata.json")]
    assert [find_bundle(folder.name) for folder in folders] == folders


def test_unknown_bundle_is_refused() -> None:
    with pytest.raises(InputError, match="nonsense: no such bundle"):
        find_bundle("nonsense")


def test_finds_configs_with_and_without_suffix(tiny_bundle: Path) -> None:
    files = find_configs(tiny_bundle, ["train", "networks/other.yaml"])
    assert [file.name for file in files] == ["train.yaml", "other.yaml"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--train::trainer::max_epochs", "5"], {"train::trainer::max_epochs": 5}),
        (["--lr=1e-3", "--name", "late"], {"lr": 1e-3, "name": "late"}),
        (["--amp", "--size", "[64,64]"], {"amp": True, "size": [64, 64]}),
        (["--shift", "-3"], {"shift": -3}),
        (["--network#depth", "None"], {"network#depth": None}),
        (["--device", "$torch.device('cpu')"], {"device": "$torch.device('cpu')"}),
        (["--reference", "@network"], {"reference": "@network"}),
        (["--expression=$@a == 1"], {"expression": "$@a == 1"}),
        ([], {}),
    ],
)
def test_reads_overrides_as_python_literals_or_text(arguments: list[str], expected: dict[str, object]) -> None:
    assert parse_overrides(arguments) == expected


@pytest.mark.parametrize("arguments", [["five"], ["--a", "1", "2"], ["--"], ["--=3"]])
def test_override_without_name_is_refused(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="an override needs a name"):
        parse_overrides(arguments)


def test_overlays_and_overrides_apply_in_order(tiny_bundle: Path) -> None:
    overrides = {"network_def::kernel_size": 3}
    workflow = build_workflow(tiny_bundle, ["train", "networks/other"], overrides, workflow_type="train")
    assert workflow.parser.get_parsed_content("network_def").kernel_size == (3, 3, 3)
    assert workflow.parser.get_parsed_content("output_dir") == f"{tiny_bundle}/eval"
    assert network_name(workflow) == "Conv3d"

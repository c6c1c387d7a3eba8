"""Tests of scripts.running.configuration."""

from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle, Configuration


def test_overlays_and_settings_apply_in_order(tiny_bundle: Path) -> None:
    settings = {"network_def::kernel_size": 3}
    configuration = Configuration(Bundle(tiny_bundle), ["train", "networks/other"], settings)
    configuration.build()
    assert configuration.value("network_def").kernel_size == (3, 3, 3)
    assert str(configuration.output_dir) == f"{tiny_bundle}/eval"
    assert configuration.network_name == "Conv3d"


def test_files_are_parsed_once(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, load = [], ConfigParser.load_config_file
    monkeypatch.setattr(ConfigParser, "load_config_file", lambda file: parsed.append(Path(file).name) or load(file))
    configuration = Configuration(Bundle(tiny_bundle), ["inference", "evaluate"])
    assert configuration.value("contrasts") == ["T1w", "T2w", "FLAIR"]
    configuration.override({"handlers": []})
    configuration.update({"cases": [], "device": "cpu"})
    configuration.build()
    assert configuration.value("device") == "cpu"
    assert [name for name in parsed if name != "metadata.json"] == ["inference.yaml", "evaluate.yaml"]


def test_settings_that_the_bundle_does_not_know_are_refused(tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match="`b0`: has no meaning for tiny"):
        Configuration(Bundle(tiny_bundle), ["inference"]).require({"register": True, "b0": 3.0})


def test_values_that_are_not_there_are_refused(tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match="tiny \\(inference\\): has no 'nothing'"):
        Configuration(Bundle(tiny_bundle), ["inference"]).value("nothing")

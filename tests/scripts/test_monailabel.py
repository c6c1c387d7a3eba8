"""Tests of scripts/monailabel and of what exported bundles hold for MONAI Label, without its server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from mri_attention.scripts.exports.exported_configs import monailabel_configs
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.transforms import HandOverd
from tests.transforms.heads import patient

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "monailabel"
NAMES = sorted(file.parents[1].name for file in BUNDLES.glob("*/configs/metadata.json"))


def run_script(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "--studies: is missing"),
        (["--studies"], "--studies: a value is missing"),
        (["--studies", ".", "--bogus"], "--bogus: no such option"),
        (["--studies", "."], "BUNDLE: is missing"),
        (["--studies", "nowhere", NAMES[0]], "nowhere: no such folder"),
        (["--studies", ".", "brain"], "brain: no such bundle; give one of"),
        (["--studies", ".", "../bundles"], "../bundles: no such bundle"),
        (["--studies", ".", "--port", "http", NAMES[0]], "--port http: give 1 to 65535"),
        (["--studies", ".", "--port", "65536", NAMES[0]], "--port 65536: give 1 to 65535"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_two(arguments: list[str], problem: str) -> None:
    finished = run_script(*arguments)
    assert finished.returncode == 2
    assert problem in finished.stderr
    assert finished.stderr.startswith("Error: ")
    assert finished.stderr.count("\n") == 1


def test_help_tells_the_options() -> None:
    finished = run_script("--help")
    assert finished.returncode == 0
    assert "--studies FOLDER BUNDLE" in finished.stdout


@pytest.mark.parametrize("name", NAMES)
def test_app_reads_inference_with_its_overlay(name: str) -> None:
    merged = json.loads(monailabel_configs(BUNDLES / name)["configs/monailabel/inference.json"])
    base = ConfigParser.load_config_file(BUNDLES / name / "configs" / "inference.yaml")
    last = merged["postprocessing"]["transforms"][-1]
    assert last["_target_"].endswith(".HandOverd")
    assert merged["postprocessing"]["transforms"][:-1] == base["postprocessing"]["transforms"]
    assert merged["network_def"] == base["network_def"]


def test_app_segments_a_flair_whose_siblings_are_not_all_there(tmp_path: Path) -> None:
    """The app builds ``network_def``, loads the weights into it, and gives the preprocessing one path."""
    bundle = BUNDLES / "ms_lesion_segmentation_fanet"
    parser = ConfigParser()
    parser.read_config([str(bundle / "configs" / name) for name in ("inference.yaml", "monailabel/inference.yaml")])
    parser["bundle_root"] = str(bundle)
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    *_, flair = patient(tmp_path)
    (tmp_path / "sub-01_T2w.nii.gz").unlink()
    image = parser.get_parsed_content("preprocessing")({"image": flair, "image_path": flair})["image"]
    assert [bool(channel.any()) for channel in image] == [True, False, True]
    with torch.no_grad():
        assert network(image.as_tensor()[None, :, :16, :16, :16]).shape[:2] == (1, 2)


def test_training_takes_what_the_app_gives_and_writes_what_it_reads(tmp_path: Path) -> None:
    merged = json.loads(monailabel_configs(BUNDLES / "ms_lesion_segmentation_fanet")["configs/monailabel/train.json"])
    parser = ConfigParser(merged)
    parser["bundle_root"] = str(tmp_path)
    parser["train::trainer::max_epochs"] = 7
    parser["train::dataset::data"] = [{"image": "a_FLAIR.nii.gz", "label": "a.nii.gz"}] * 3
    assert parser.get_parsed_content("epochs") == 7
    assert parser.get_parsed_content("train::sampler::weights") == [1.0, 1.0, 1.0]
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.pt").touch()  # with which the app infers, and which it replaces
    assert parser.get_parsed_content("training_folder") == tmp_path / "models"
    (validation,) = [h for h in merged["train"]["handlers"] if h["_target_"] == "ValidationHandler"]
    assert "validate::dataset::data" in validation["_disabled_"]
    assert merged["train"]["handlers"][-1]["_target_"].endswith(".LastWeights")


@pytest.mark.parametrize("bundle", NAMES)
def test_the_file_that_is_handed_over_is_one_that_the_bundle_saves(bundle: str) -> None:
    configs = BUNDLES / bundle / "configs"
    parser = ConfigParser()
    parser.read_config([str(configs / "inference.yaml"), str(configs / "monailabel" / "inference.yaml")])
    parser["bundle_root"] = str(configs.parent)
    transforms = parser.get_parsed_content("postprocessing").transforms
    saving = [transform for transform in transforms if type(transform).__name__.startswith("Save")]
    [handed] = [transform for transform in transforms if isinstance(transform, HandOverd)]
    assert handed.path_key.removesuffix("_path") in {key for transform in saving for key in transform.keys}

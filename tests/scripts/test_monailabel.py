"""Tests of scripts/monailabel and of what exported bundles hold for MONAI Label, without its server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, run
from monai.bundle.utils import DEFAULT_EXP_MGMT_SETTINGS

from mri_attention.scripts.exports.exported_configs import json_configs, monailabel_configs
from mri_attention.scripts.exports.monailabel_app import adapt_to_app
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.simulation.cohort import simulate_dataset
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


@pytest.mark.parametrize("name", NAMES)
def test_the_apps_copy_has_its_configs_one_file_of_weights_and_labels_that_exist(name: str, tmp_path: Path) -> None:
    texts = {**json_configs(BUNDLES / name), **monailabel_configs(BUNDLES / name), "configs/train.yaml": ""}
    texts["configs/metadata.json"] = (BUNDLES / name / "configs" / "metadata.json").read_text()
    for path in ("models/model.pt", "models/model_x4.pt", "models/model_x4.safetensors"):
        texts[path] = path
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    adapt_to_app(tmp_path)
    configs, models = tmp_path / "configs", tmp_path / "models"
    assert (configs / "inference.json").read_text() == texts["configs/monailabel/inference.json"]
    is_trained = "configs/monailabel/train.json" in texts
    assert [file.name for file in configs.glob("train.*")] == (["train.json"] if is_trained else [])
    assert [file.name for file in models.glob("*.pt")] == ["model.pt"]
    assert (models / "other_scales" / "model_x4.pt").read_text() == "models/model_x4.pt"
    (output,) = json.loads((configs / "metadata.json").read_text())["network_data_format"]["outputs"].values()
    assert output["channel_def"] == ({"0": "background", "1": "lesion"} if is_trained else {})


@pytest.mark.parametrize("version", ["", "3.17.2"])
def test_tracking_without_its_package_leaves_no_handler_that_fails(version: str) -> None:
    """MONAI appends its handlers to lists that the app keeps for all later trainings."""
    merged = json.loads(monailabel_configs(BUNDLES / "ms_lesion_segmentation_fanet")["configs/monailabel/train.json"])
    parser = ConfigParser(merged)
    parser["save_execute_config"] = False
    ConfigWorkflow.patch_bundle_tracking(parser, DEFAULT_EXP_MGMT_SETTINGS["mlflow"])
    parser["mlflow"] = version
    for place in ("train::handlers", "validate::handlers"):
        *_, added = parser[place]
        assert added["_target_"] == "MLFlowHandler"
        assert parser.get_parsed_content(added["_disabled_"].removeprefix("@")) is not bool(version)
    assert all("is_not_rank0" not in str(handler) for handler in parser["train::handlers"][:-1])
    assert all("is_not_rank0" not in str(handler) for handler in parser["validate::handlers"][:-1])


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


@pytest.mark.slow
def test_training_as_the_app_starts_it_replaces_the_weights(tmp_path: Path) -> None:
    """The app's ``BundleTrainTask`` calls ``monai.bundle.run`` with these overrides and a loader of weights."""
    root = tmp_path / "app"
    for path, text in monailabel_configs(BUNDLES / "ms_lesion_segmentation_fanet").items():
        (root / "configs").mkdir(parents=True, exist_ok=True)
        (root / "configs" / Path(path).name).write_text(text)
    simulate_dataset(tmp_path / "cohort", n_subjects=2, seed=1, spacing=4.0)
    masks = sorted(tmp_path.glob("cohort/derivatives/*/sub-*/anat/*_label-lesion_mask.nii.gz"))
    flairs = sorted(tmp_path.glob("cohort/sub-*/anat/*_FLAIR.nii.gz"))
    data = [{"image": str(i), "label": str(m)} for i, m in zip(flairs, masks, strict=True)]
    small = {"network_def::network::channels": [8, 16, 24], "spacing": [4.0] * 3, "patch": [24] * 3, "steps": 1}
    config = ConfigParser(json.loads((root / "configs" / "train.json").read_text()))
    config.update(small)
    weights = root / "models" / "model.pt"
    weights.parent.mkdir()
    torch.save(config.get_parsed_content("network_def").state_dict(), weights)
    before = weights.read_bytes()
    loader = {"_target_": "CheckpointLoader", "load_path": str(weights), "load_dict": {"model": "$@network"}}
    overrides = {
        "bundle_root": str(root),
        "train#trainer#max_epochs": 1,
        "train#dataset#data": data[:1],
        "validate#dataset#data": data[1:],
        "device": "cpu",
        "train#handlers": [{**loader, "strict": False}, *config["train::handlers"]],
    }
    run(run_id="run", config_file=str(root / "configs" / "train.json"), logging_file=False, **overrides, **small)
    assert weights.read_bytes() != before
    assert set(torch.load(weights, weights_only=True)) == set(config.get_parsed_content("network_def").state_dict())


@pytest.mark.parametrize("bundle", NAMES)
def test_the_file_that_is_handed_over_is_one_that_the_bundle_saves(bundle: str) -> None:
    configs = BUNDLES / bundle / "configs"
    parser = ConfigParser()
    parser.read_config([str(configs / "inference.yaml"), str(configs / "monailabel" / "inference.yaml")])
    parser["bundle_root"] = str(configs.parent)
    transforms = parser.get_parsed_content("postprocessing").flatten().transforms
    saving = [transform for transform in transforms if type(transform).__name__.startswith("Save")]
    [handed] = [transform for transform in transforms if isinstance(transform, HandOverd)]
    assert handed.path_key.removesuffix("_path") in {key for transform in saving for key in transform.keys}

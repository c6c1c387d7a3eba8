"""The bundle's workflows, end to end on a tiny simulated dataset."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, verify_net_in_out

from mri_attention.simulation.cohort import simulate_dataset
from tests.bundles.bundle_configs import BundleConfigs

CONFIGS = BundleConfigs("ms_lesion_segmentation_fanet")
ROOT, parse, run = CONFIGS.root, CONFIGS.parse, CONFIGS.run
TINY = {"network_def::channels": [8, 16, 24], "spacing": [4.0, 4.0, 4.0]}
SHORT = {"epochs": 1, "steps": 2, "val_interval": 1, "progress": False, "patch": [24, 24, 24], "validation_share": 0.5}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    simulate_dataset(folder, n_subjects=2, seed=1, spacing=4.0)
    return folder


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("training")
    run("train", ("train",), dataset_dir=str(dataset), output_dir=str(output), **TINY, **SHORT)
    return output


def test_training_writes_best_and_last_checkpoint(trained: Path) -> None:
    assert {p.name for p in (trained / "models").iterdir()} >= {"checkpoint_last.pt", "model.pt"}


def test_training_resumes_where_it_stopped(trained: Path, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "checkpoint_last.pt").write_bytes((trained / "models" / "checkpoint_last.pt").read_bytes())
    settings = {**TINY, **SHORT, "epochs": 2, "resume": True}
    workflow = run("train", ("train",), dataset_dir=str(dataset), output_dir=str(tmp_path), **settings)
    trainer = workflow.parser.get_parsed_content("train::trainer")
    assert (trainer.state.epoch, trainer.state.iteration) == (2, 4)


def test_training_starts_from_given_weights(trained: Path, dataset: Path, tmp_path: Path) -> None:
    model = trained / "models" / "model.pt"
    settings = {**TINY, **SHORT, "learning_rate": 0.0, "start_from": str(model)}
    run("train", ("train",), dataset_dir=str(dataset), output_dir=str(tmp_path), **settings)
    given = torch.load(model, weights_only=True)
    for name, tensor in torch.load(tmp_path / "models" / "checkpoint_last.pt", weights_only=True)["model"].items():
        torch.testing.assert_close(tensor, given[name], rtol=0, atol=0)


@pytest.fixture(scope="module")
def predicted(trained: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ConfigWorkflow]:
    output = tmp_path_factory.mktemp("evaluation")
    model = str(trained / "models" / "model.pt")
    settings = {"dataset_dir": str(dataset), "output_dir": str(output), "model_file": model, **TINY}
    return output, run("infer", ("inference", "evaluate"), **settings)


def test_predictions_keep_the_geometry_of_the_flair(predicted: tuple[Path, ConfigWorkflow], dataset: Path) -> None:
    flair = nib.load(dataset / "sub-001" / "anat" / "sub-001_FLAIR.nii.gz")
    for suffix in ("mask", "probseg"):
        result = nib.load(predicted[0] / "sub-001" / "anat" / f"sub-001_label-lesion_{suffix}.nii.gz")
        assert result.shape == flair.shape
        np.testing.assert_array_equal(result.affine, flair.affine)
        assert [int(result.header[code]) for code in ("qform_code", "sform_code")] == [
            int(flair.header[code]) for code in ("qform_code", "sform_code")
        ]


def test_mask_is_the_thresholded_probability(predicted: tuple[Path, ConfigWorkflow]) -> None:
    anat = predicted[0] / "sub-002" / "anat"
    mask, probability = (
        np.asarray(nib.load(anat / f"sub-002_label-lesion_{suffix}.nii.gz").dataobj) for suffix in ("mask", "probseg")
    )
    assert mask.dtype == np.uint8
    assert 0 <= probability.min() <= probability.max() <= 1
    np.testing.assert_array_equal(mask, probability >= 0.5)


def test_evaluation_reports_every_metric_for_every_case(predicted: tuple[Path, ConfigWorkflow]) -> None:
    details = predicted[1].parser.get_parsed_content("evaluator").state.metric_details
    names = {"dice", "ltpr", "lppv", "lesion_f1", "true_count", "predicted_count", "true_volume", "predicted_volume"}
    assert set(details) == names
    assert {len(values) for values in details.values()} == {2}


def test_whole_volume_and_windows_agree_in_place(dataset: Path, tmp_path: Path) -> None:
    """A threshold sees one voxel at a time, so that both ways must give the same mask."""
    masks = []
    for size in (-1, 24):
        output = tmp_path / str(size)
        settings = {"dataset_dir": str(dataset), "output_dir": str(output), "model_file": "none", "spacing": [4.0] * 3}
        inferer = {"inferer::inferer::roi_size": [size] * 3, "network_def::threshold": 0.5, "network_def::smoothing": 0.0}
        run("infer", ("inference", "networks/flair_threshold"), **settings, **inferer)
        masks.append(np.asarray(nib.load(output / "sub-001/anat/sub-001_label-lesion_mask.nii.gz").dataobj))
    assert masks[0].any()
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("is_on", [False, True])
def test_lesions_outside_of_white_matter_go_before_lesions_grow(is_on: bool) -> None:
    parser = parse("inference")
    parser["white_matter_only"] = is_on
    names = [type(step).__name__ for step in parser.get_parsed_content("postprocessing").transforms]
    order = [name for name in names if name in {"KeepWhiteMatterLesionsd", "GrowLesionsd"}]
    assert order == ["KeepWhiteMatterLesionsd", "GrowLesionsd"][not is_on :]


def test_fitted_threshold_is_evaluated_without_growing() -> None:
    steps = parse("inference", "networks/flair_threshold").get_parsed_content("postprocessing").transforms
    assert "GrowLesionsd" not in {type(step).__name__ for step in steps}


def test_train_and_inference_agree() -> None:
    train, inference = parse("train"), parse("inference")
    assert train["network_def"] == inference["network_def"]
    assert train["spacing"] == inference["spacing"]
    shared = {"Orientationd", "mri_attention.transforms.OwnKeysSpacingd", "CropForegroundd", "NormalizeIntensityd"}
    steps = [
        [
            {name: value for name, value in step.items() if name not in ("keys", "mode")}
            for step in transforms
            if step["_target_"] in shared
        ]
        for transforms in (train["train::deterministic_transforms"], inference["preprocessing::transforms"])
    ]
    assert steps[0] == steps[1]


@pytest.mark.parametrize("overlay", sorted(p.stem for p in (ROOT / "configs" / "networks").glob("*.yaml")))
def test_every_network_maps_images_to_two_classes(overlay: str) -> None:
    network = parse("inference", f"networks/{overlay}").get_parsed_content("network_def").eval()
    with torch.no_grad():
        assert network(torch.randn(1, 3, 32, 32, 32)).shape == (1, 2, 32, 32, 32)


@pytest.mark.parametrize(
    ("overlays", "n_parameters"),
    [
        ((), 3_662_345),
        (("paper",), 24_554_337),
        (("networks/unet",), 3_821_097),
        (("networks/non_local",), 3_641_824),
        (("networks/da_net",), 3_956_870),
        (("networks/rsa_net",), 3_662_347),
        (("networks/ag_net",), 3_794_515),
    ],
)
def test_networks_have_the_documented_sizes(overlays: tuple[str, ...], n_parameters: int) -> None:
    network = parse("train", *overlays).get_parsed_content("network_def")
    assert sum(p.numel() for p in network.parameters()) == n_parameters


@pytest.mark.parametrize("config", ["inference", "train"])
def test_network_fulfills_the_metadata(config: str) -> None:
    verify_net_in_out("network_def", str(ROOT / "configs" / "metadata.json"), CONFIGS.files(config)[0], n=4, p=4)


def test_shipped_weights_fit_the_network_and_the_limit() -> None:
    model = ROOT / "models" / "model.pt"
    assert model.stat().st_size <= 8 * 2**20
    state = torch.load(model, weights_only=True)
    state = state.get("model", state)
    parse("inference").get_parsed_content("network_def").load_state_dict(state)
    assert {value.dtype for value in state.values()} == {torch.float16}


def test_multi_gpu_overlay_parses() -> None:
    assert parse("train", "multi_gpu_train")["network"]["_target_"].endswith("DistributedDataParallel")

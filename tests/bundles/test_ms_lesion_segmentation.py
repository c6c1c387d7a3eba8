"""The bundle's workflows, end to end on a tiny simulated dataset."""

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from tests.bundles.bundle_configs import BundleConfigs

BUNDLE = BundleConfigs("ms_lesion_segmentation_fanet")
parse = BUNDLE.parse


def test_mask_is_the_thresholded_probability(trained: Path, dataset: Path, tmp_path: Path) -> None:
    settings = {"dataset_dir": str(dataset), "model_file": str(trained / "models" / "model.pt"), **BUNDLE.tiny}
    BUNDLE.infer(tmp_path, threshold=0.5, grow=False, **settings)
    anat = tmp_path / "sub-002" / "anat"
    mask, probability = (
        np.asarray(nib.load(anat / f"sub-002_label-lesion_{suffix}.nii.gz").dataobj) for suffix in ("mask", "probseg")
    )
    assert mask.dtype == np.uint8
    assert 0 <= probability.min() <= probability.max() <= 1
    np.testing.assert_array_equal(mask, probability >= 0.5)


def test_whole_volume_and_windows_agree_in_place(dataset: Path, tmp_path: Path) -> None:
    """A threshold sees one voxel at a time, so that both ways must give the same mask."""
    masks = []
    for size in (-1, 24):
        output = tmp_path / str(size)
        settings = {
            "dataset_dir": str(dataset),
            "spacing": [4.0] * 3,
            "windows::roi_size": [size] * 3,
            "network_def::threshold": 0.5,
            "network_def::smoothing": 0.0,
        }
        BUNDLE.infer(output, "networks/flair_threshold", **settings)
        masks.append(np.asarray(nib.load(output / "sub-001/anat/sub-001_label-lesion_mask.nii.gz").dataobj))
    assert masks[0].any()
    np.testing.assert_array_equal(*masks)


def test_trains_on_cases_that_lack_contrasts_and_finds_lesions_in_them(dataset: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    shutil.copytree(dataset, cohort)
    for path in cohort.glob("sub-001/anat/*_T[12]w.nii.gz"):
        path.unlink()
    BUNDLE.train(tmp_path / "run", cohort, drop_contrasts={"T1w+T2w+FLAIR": 1.0, "FLAIR": 1.0})
    model, output = tmp_path / "run" / "models" / "model.pt", tmp_path / "out"
    settings = {"model_file": str(model), "selection::subjects": ["001"], **BUNDLE.tiny}
    workflow = BUNDLE.infer(output, dataset_dir=str(cohort), **settings)
    assert (output / "sub-001" / "anat" / "sub-001_label-lesion_mask.nii.gz").is_file()
    (image,) = [item["image"] for item in workflow.parser.get_parsed_content("dataset")]
    assert [bool(channel.any()) for channel in image] == [False, False, True]


@pytest.mark.parametrize("drawn", ["T1w+T2w+FLAIR", "T1w+FLAIR", "FLAIR", "T2w+FLAIR"])
def test_training_leaves_contrasts_out_last(drawn: str) -> None:
    steps = parse("train", drop_contrasts={drawn: 1.0}).get_parsed_content("train::random_transforms")
    names = drawn.split("+")
    dropped = steps[-1]({"image": torch.ones(3, 2, 2, 2)})["image"]
    assert dropped[:, 0, 0, 0].tolist() == [float(name in names) for name in ("T1w", "T2w", "FLAIR")]


@pytest.mark.parametrize("settings", [{}, {"grow": False}, {"grow": True}], ids=str)
def test_small_lesions_go_before_lesions_grow(settings: dict[str, bool]) -> None:
    transforms = parse("inference", **settings).get_parsed_content("postprocessing").transforms
    steps = ["DropSmallLesionsd", *(["GrowLesionsd"] if settings.get("grow", True) else [])]
    assert [name for name in (type(step).__name__ for step in transforms) if "Lesions" in name] == steps


def test_logits_are_tempered_and_small_lesions_go_once_there_is_a_mask() -> None:
    steps = parse("inference", temperature=1.5, smallest_lesion=3).get_parsed_content("postprocessing").transforms
    order = ["DivideByTemperatured", "Activationsd", "AsDiscreted", "DropSmallLesionsd", "Invertd"]
    assert [name for name in (type(step).__name__ for step in steps) if name in order] == [*order, "AsDiscreted"]
    logits = torch.tensor([[[[0.0, 0.0]]], [[[3.0, -3.0]]]])
    data = {"pred": logits, "image": MetaTensor(torch.zeros(3, 1, 1, 2))}
    for step in steps[: [type(step).__name__ for step in steps].index("DropSmallLesionsd") + 1]:
        data = step(data)
    torch.testing.assert_close(data["probability"].flatten(), torch.tensor([2.0, -2.0]).sigmoid())
    assert not data["pred"].any()


def test_fitted_threshold_is_evaluated_without_growing() -> None:
    steps = parse("inference", "networks/flair_threshold").get_parsed_content("postprocessing").transforms
    assert "GrowLesionsd" not in {type(step).__name__ for step in steps}


def test_train_and_inference_prepare_images_alike() -> None:
    train, inference = parse("train"), parse("inference")
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


@pytest.mark.parametrize("overlay", BUNDLE.overlays())
def test_every_network_maps_images_to_two_classes(overlay: str) -> None:
    network = parse("inference", overlay).get_parsed_content("network_def").eval()
    with torch.no_grad():
        assert network(torch.randn(1, 3, 32, 32, 32)).shape == (1, 2, 32, 32, 32)


def test_the_weights_that_are_kept_are_the_averaged_ones(trained: Path) -> None:
    checkpoint = torch.load(trained / "models" / "checkpoint_last.pt", weights_only=True)
    kept = torch.load(trained / "models" / "model.pt", weights_only=True)
    kept, averaged, trained_ones = (dict(each) for each in (kept, checkpoint["model"], checkpoint["network"]))
    assert all(torch.equal(kept[name], averaged[name]) for name in averaged)
    assert not all(torch.equal(trained_ones[name], averaged[name]) for name in averaged)


def test_simulated_heads_join_the_patients(dataset: Path, tmp_path: Path) -> None:
    settings = {"steps": 1, "val_interval": 2, "simulated_dataset_dir": str(dataset), "simulated_share": 0.75}
    workflow = BUNDLE.train(tmp_path, dataset, "mixed", **settings)
    assert len(workflow.parser.get_parsed_content("train::dataset")) == 3
    patients, simulated = workflow.parser.get_parsed_content("parts")[0], [1.5, 1.5]
    assert workflow.parser.get_parsed_content("extra_weights") == simulated
    assert sum(simulated) / (sum(simulated) + len(patients) * 1.0) == 0.75


def test_brightened_gray_matter_stays_out_of_lesions_in_training(dataset: Path) -> None:
    steps = parse("train", dataset_dir=str(dataset), bright_gray_matter=1.0).get_parsed_content(
        "train::random_transforms"
    )
    names = [type(step).__name__ for step in steps]
    assert names.index("RandBrightGrayMatterd") < names.index("RandShiftIntensityd")
    assert steps[names.index("RandBrightGrayMatterd")].channels == (0, 2)

"""The bundle's workflows, end to end on a tiny simulated dataset."""

import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import InputError, read_volume, write_volume
from mri_attention.networks.nets import Interpolation
from mri_attention.operators import lower_resolution
from mri_attention.operators.kspace_truncation import truncate_kspace, zero_fill_kspace
from mri_attention.scripts.running.onnx_network import network_description
from mri_attention.transforms import TruncateKspace
from tests.bundles.bundle_configs import BundleConfigs, input_error
from tests.bundles.conftest import Evaluated
from tests.operators.test_kspace_noise import disks

BUNDLE = BundleConfigs("guided_super_resolution_sanet")
parse = BUNDLE.parse


@pytest.fixture(scope="module")
def pair(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A T2w of low resolution, and a T1w on a grid of its own with an odd size."""
    folder = tmp_path_factory.mktemp("pair")
    anat = dataset / "sub-001" / "anat"
    high = read_volume(anat / "sub-001_T2w.nii.gz")
    low = TruncateKspace((2, 2, 1))(high[:, :38, :46])
    assert isinstance(low, MetaTensor)
    write_volume(folder / "sub-001_T2w.nii.gz", low.as_tensor(), low.affine)
    guide = read_volume(anat / "sub-001_T1w.nii.gz")
    affine = guide.affine.clone()
    affine[:3, 3] += affine[:3, 0]
    write_volume(folder / "sub-001_T1w.nii.gz", guide[:, 1:, :45].as_tensor(), affine)
    images = [str(folder / f"sub-001_{name}.nii.gz") for name in ("T2w", "T1w")]
    return {"subject": "sub-001", "session": "", "image": images}


def infer(case: dict[str, Any], output: Path, *overlays: str, **overrides: Any) -> nib.Nifti1Image:
    BUNDLE.infer(output, *overlays, cases=[case], **overrides)
    return nib.load(output / "sub-001" / "anat" / "sub-001_rec-sanet_T2w.nii.gz")


def test_real_heads_join_the_simulated_ones(dataset: Path, tmp_path: Path) -> None:
    settings = {"steps": 1, "val_interval": 2, "real_dataset_dirs": [str(dataset)], "real_subjects": ["sub-002"]}
    workflow = BUNDLE.train(tmp_path, dataset, "mixed", **settings)
    assert len(workflow.parser.get_parsed_content("train::dataset")) == 2
    assert workflow.parser.get_parsed_content("extra_weights") == [1.0]


def test_reference_and_input_have_the_intensities_of_the_file(evaluated: Evaluated, dataset: Path) -> None:
    t2w = read_volume(dataset / "sub-001" / "anat" / "sub-001_T2w.nii.gz")[0].as_tensor()
    anat = evaluated[0] / "sub-001" / "anat"
    reference, given = (read_volume(anat / f"sub-001_desc-{name}_T2w.nii.gz")[0] for name in ("reference", "input"))
    torch.testing.assert_close(reference.as_tensor(), t2w, rtol=1e-4, atol=1e-3)
    expected = lower_resolution(t2w.movedim(-1, 0), 2).movedim(0, -1)
    torch.testing.assert_close(given.as_tensor(), expected, rtol=1e-4, atol=1e-2 * float(t2w.mean()))


def test_interpolated_heads_are_judged_as_acquired_and_written_as_they_came(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    anat, masks = tmp_path / "in" / "sub-1" / "anat", tmp_path / "in" / "derivatives" / "raters" / "sub-1" / "anat"
    acquired = truncate_kspace(disks(), (64, 144))
    planes = zero_fill_kspace(acquired, (128, 144)).abs()[None, ..., None].expand(-1, -1, -1, 3)
    affine = torch.diag(torch.tensor([0.6, 0.6, 3.0, 1.0], dtype=torch.float64))
    for folder, name, image in ((anat, "T2w", planes), (anat, "T1w", planes), (masks, "label-lesion_mask", planes > 1)):
        folder.mkdir(parents=True, exist_ok=True)
        write_volume(folder / f"sub-1_{name}.nii.gz", image.float(), affine)
    settings = {"dataset_dir": str(tmp_path / "in"), "output_dir": str(tmp_path / "out"), "self_test": False}
    workflow = parse("inference", "evaluate", "lesions", "networks/zero_filled", **settings)
    case = workflow.get_parsed_content("cases")[0]
    data = workflow.get_parsed_content("preprocessing")(case)
    assert 64 <= data["image"].shape[1] < 80
    assert data["image"].shape[2:] == (144, 3)
    assert data["reference"].shape == (2, *data["image"].shape[1:])
    assert set(data["reference"][1].unique().tolist()) == {0.0, 1.0}
    assert "sub-1_T2w.nii.gz: it was interpolated" in caplog.text
    workflow.get_parsed_content("run")
    written = nib.load(tmp_path / "out" / "sub-1" / "anat" / "sub-1_desc-reference_T2w.nii.gz")
    np.testing.assert_allclose(written.affine, affine, atol=1e-5)
    assert np.abs(written.get_fdata() - planes[0].numpy()).mean() < 0.01 * float(planes.mean())


@pytest.mark.parametrize("overlay", ["networks/zero_filled", "networks/bicubic"])
def test_data_consistency_is_exact_where_asked_for(dataset: Path, tmp_path: Path, overlay: str) -> None:
    errors = []
    for is_asked in (False, True):
        settings = {"dataset_dir": str(dataset), "scale": 4, "data_consistency": is_asked}
        workflow = BUNDLE.infer(tmp_path / str(is_asked), "evaluate", overlay, **settings)
        errors.append(workflow.parser.get_parsed_content("evaluator").state.metrics["data_consistency_error"])
    assert errors[1] < 1e-9
    assert errors[0] > 1e-6


@pytest.fixture(scope="module")
def joint(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    output = tmp_path_factory.mktemp("joint")
    BUNDLE.train(output, dataset, "joint")
    settings = {"dataset_dir": str(dataset), "model_file": str(output / "models" / "checkpoint_last.pt")}
    settings |= {"data_consistency": True, **BUNDLE.tiny}
    return output, BUNDLE.infer(output / "evaluation", "evaluate", "joint", **settings)


def test_joint_super_resolution_makes_and_judges_both_contrasts(joint: Evaluated) -> None:
    metrics = joint[1].parser.get_parsed_content("evaluator").state.metrics
    assert {"psnr", "psnr_of_guide", "ssim_of_guide"} <= set(metrics)
    assert metrics["psnr"] != metrics["psnr_of_guide"]
    anat = joint[0] / "evaluation" / "sub-001" / "anat"
    t2w, t1w, reference = (
        read_volume(anat / f"sub-001_{name}.nii.gz")[0].as_tensor()
        for name in ("rec-sanet_T2w", "rec-sanet_T1w", "desc-reference_T2w")
    )
    assert (t2w - reference).abs().mean() < (t1w - reference).abs().mean()


def test_joint_results_of_a_scan_agree_with_both_files(pair: dict[str, Any], tmp_path: Path) -> None:
    case = pair | {"image": [pair["image"][0]] * 2}
    infer(case, tmp_path, "joint", data_consistency=True, **BUNDLE.tiny)
    low = read_volume(case["image"][0])
    for name in ("T2w", "T1w"):
        result = read_volume(tmp_path / "sub-001" / "anat" / f"sub-001_rec-sanet_{name}.nii.gz")
        again = TruncateKspace((2, 2, 1))(result)
        torch.testing.assert_close(again.as_tensor(), low.as_tensor(), rtol=1e-3, atol=1e-3 * float(low.max()))


def test_other_contrasts_are_named_after_themselves(dataset: Path, tmp_path: Path) -> None:
    """As from ``prepare fastmri``: fat-suppressed PD, guided by PD."""
    names = {"acq-pdfs_PDw": "T2w", "acq-pd_PDw": "PDw"}
    for subject in ("sub-001", "sub-002"):
        for name, source in names.items():
            path = tmp_path / "in" / subject / "anat" / f"{subject}_{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((dataset / subject / "anat" / f"{subject}_{source}.nii.gz").read_bytes())
    settings = {"dataset_dir": str(tmp_path / "in"), "contrasts": list(names), **BUNDLE.tiny}
    BUNDLE.train(tmp_path / "run", tmp_path / "in", contrasts=list(names))
    BUNDLE.infer(tmp_path / "out", "evaluate", **settings)
    written = {path.name for path in (tmp_path / "out" / "sub-001" / "anat").glob("*.nii.gz")}
    assert written == {f"sub-001_acq-pdfs_{name}_PDw.nii.gz" for name in ("rec-sanet", "desc-reference", "desc-input")}


def test_result_lies_on_the_fine_grid_of_the_t2w(pair: dict[str, Any], tmp_path: Path) -> None:
    result = infer(pair, tmp_path, **BUNDLE.tiny)
    low = nib.load(pair["image"][0])
    assert result.shape == (2 * low.shape[0], 2 * low.shape[1], low.shape[2])
    np.testing.assert_allclose(result.affine, low.affine @ np.diag([0.5, 0.5, 1, 1]), atol=1e-5)


def test_zero_filling_keeps_every_voxel_of_the_t2w(pair: dict[str, Any], tmp_path: Path) -> None:
    result = np.asarray(infer(pair, tmp_path, "networks/zero_filled").dataobj)
    low = np.asarray(nib.load(pair["image"][0]).dataobj)
    np.testing.assert_allclose(result[::2, ::2], low, atol=1e-4 * low.max())


def test_slices_across_another_axis_give_the_same(pair: dict[str, Any], tmp_path: Path) -> None:
    upright = infer(pair, tmp_path / "a", "networks/bicubic")
    turned = []
    for path in pair["image"]:
        image = nib.load(path).as_reoriented(
            nib.orientations.axcodes2ornt(("S", "R", "A"), (("L", "R"), ("P", "A"), ("I", "S")))
        )
        nib.save(image, tmp_path / Path(path).name)
        turned.append(str(tmp_path / Path(path).name))
    result = infer(pair | {"image": turned}, tmp_path / "b", "networks/bicubic")
    back = nib.as_closest_canonical(result)
    np.testing.assert_allclose(back.affine, nib.as_closest_canonical(upright).affine, atol=1e-4)
    np.testing.assert_allclose(back.get_fdata(), nib.as_closest_canonical(upright).get_fdata(), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(
    ("images", "problem"),
    [(["missing_T2w.nii.gz", 1], "no such file"), ([0], "no T1w image beside it"), ([0, 1, 1], "3 images for 2")],
)
def test_bad_input_is_told_before_anything_is_written(
    images: list[str | int], problem: str, pair: dict[str, Any], tmp_path: Path
) -> None:
    paths = [pair["image"][i] if isinstance(i, int) else i for i in images]
    if len(paths) == 1:
        (tmp_path / "in").mkdir()
        alone = tmp_path / "in" / "sub-001_T2w.nii.gz"
        alone.write_bytes(Path(paths[0]).read_bytes())
        paths = [str(alone)]
    with pytest.raises((RuntimeError, InputError)) as error:
        infer(pair | {"image": paths}, tmp_path / "out", **BUNDLE.tiny)
    assert problem in input_error(error.value)
    assert not (tmp_path / "out").exists()


def test_training_and_inference_scale_alike() -> None:
    train, inference = parse("train"), parse("inference")
    scaling = [
        next(step for step in steps if step["_target_"].endswith("ScaleByQuantiled"))
        for steps in (train["train::deterministic_transforms"], inference["preprocessing::transforms"][1:])
    ]
    assert scaling[0] == scaling[1]


ABSENT = {
    1: ("fusions.", "integration.", "summary.", "auxiliary.", "target.attention."),
    2: ("fusions.", "integration.", "summary.", "auxiliary."),
    3: ("fusions.", "integration.", "summary."),
    4: ("fusions.",),
}
"""What each ablation of the paper's Table III is without."""


@pytest.mark.parametrize("base", [(), ("paper",)], ids=["default", "paper"])
@pytest.mark.parametrize("number", ABSENT)
def test_an_ablation_lacks_what_the_paper_leaves_out_and_nothing_else(number: int, base: tuple[str, ...]) -> None:
    full, ablated = (
        parse("train", *base, *overlay).get_parsed_content("network_def").network.state_dict()
        for overlay in ((), (f"networks/ablation_{number}",))
    )
    joined = {name for name in ablated if re.fullmatch(r"fusions\.\d+\.conv\.(weight|bias)", name)}  # of the guide
    assert bool(joined) == (number >= 3)
    assert set(ablated) - joined == {name for name in full if not name.startswith(ABSENT[number])}


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("overlay", BUNDLE.overlays())
def test_every_network_maps_odd_sizes_to_the_same(overlay: str, scale: int) -> None:
    network = parse("inference", overlay, scale=scale).get_parsed_content("network_def").eval()
    with torch.no_grad():
        assert network(torch.rand(1, 2, 35, 42)).shape[2:] == (35, 42)


def test_the_default_network_is_the_same_for_every_scale() -> None:
    for names in ((), ("networks/minet",), ("networks/sanet_unguided",)):
        states = []
        for scale in (2, 4):
            states.append(parse("train", *names, scale=scale).get_parsed_content("network_def").state_dict())
        assert [(k, v.shape) for k, v in states[0].items()] == [(k, v.shape) for k, v in states[1].items()]


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("overlay", ["", *BUNDLE.overlays()])
def test_every_network_starts_at_zero_filling_or_interpolation(overlay: str, scale: int) -> None:
    parser = parse("train", *filter(None, [overlay]), scale=scale)
    x = torch.rand(1, 2, 32, 32)
    start = parser.get_parsed_content("network_def")(x)[:, :1]
    cubic = Interpolation(scale=scale, method="cubic", grid="first_voxel")(x[:, :1, ::scale, ::scale])
    errors = [float((start - image).abs().max()) for image in (x[:, :1], cubic)]
    assert min(errors) < (0.1 if overlay == "networks/lyu" else 1e-6)  # which interpolates twice by two at scale 4


def test_networks_of_two_scales_are_not_taken_for_each_other() -> None:
    descriptions = [network_description(parse("inference", scale=scale)) for scale in (2, 4)]
    assert descriptions[0] != descriptions[1]
    assert descriptions[0] | {"scale": 4} == descriptions[1]

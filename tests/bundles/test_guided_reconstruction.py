"""The bundle's workflows, end to end on a tiny simulated dataset, and on files of k-space."""

import re
from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, verify_net_in_out

from mri_attention.datasets.input_error import InputError
from mri_attention.networks.nets import MANet
from mri_attention.operators import image_to_kspace, kspace_to_image
from tests.bundles.bundle_configs import BundleConfigs, input_error
from tests.bundles.conftest import Evaluated

BUNDLE = BundleConfigs("guided_reconstruction_manet")
parse = BUNDLE.parse
REAL_KSPACE = BUNDLE.root.parents[1].parent / "shared" / "data" / "kspace" / "brain_8ch_undersampled.npy"
ZERO_FILLED = "networks/zero_filled"
SHAPE = (24, 20, 5)  # x, y, slices of k-space's images


def test_reference_is_the_t2w_itself(evaluated: Evaluated, dataset: Path) -> None:
    t2w = nib.load(dataset / "sub-002" / "anat" / "sub-002_T2w.nii.gz")
    reference = nib.load(evaluated[0] / "sub-002" / "anat" / "sub-002_desc-reference_T2w.nii.gz")
    np.testing.assert_array_equal(reference.get_fdata(), t2w.get_fdata())


@pytest.fixture(scope="module")
def zero_filled(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> ConfigWorkflow:
    output = tmp_path_factory.mktemp("zero_filled")
    return BUNDLE.infer(output, "evaluate", ZERO_FILLED, dataset_dir=str(dataset))


def test_zero_filling_gives_the_input_in_its_own_units(zero_filled: ConfigWorkflow) -> None:
    anat = Path(zero_filled.parser.get_parsed_content("output_dir")) / "sub-001" / "anat"
    result, given = (nib.load(anat / f"sub-001_{s}_T2w.nii.gz").get_fdata() for s in ("rec-manet", "desc-input"))
    np.testing.assert_allclose(result, given, rtol=1e-4, atol=1e-4 * given.max())


def test_masks_depend_on_seed_and_file_alone(dataset: Path) -> None:
    def masks(cases: slice, seed: int) -> list[torch.Tensor]:
        parser = parse("inference", dataset_dir=str(dataset), seed=seed)
        parser["cases"] = parser.get_parsed_content("cases")[cases]
        parser.parse(reset=True)
        return [case["sampled"] for case in parser.get_parsed_content("dataset")]

    both = masks(slice(None), 0)
    assert torch.equal(masks(slice(1, 2), 0)[0], both[1])
    assert not torch.equal(both[0], both[1])
    assert not torch.equal(masks(slice(1), 1)[0], both[0])


def measurement(
    folder: Path, n_coils: int = 1, acceleration: int = 2, center: int = 6
) -> tuple[dict[str, Any], np.ndarray]:
    """Write a guide, and k-space of an ellipsoid with every second column and the center."""
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    image = 500.0 * (sum(x**2 for x in grid) < 0.7) * (1.2 + grid[0])
    affine = np.array([[0, 2, 0, 5], [-2, 0, 0, 7], [0, 0, 4, -9], [0, 0, 0, 1.0]])
    guide = nib.Nifti1Image((image.max() - image).astype(np.float32), affine)
    nib.save(guide, folder / "sub-01_T1w.nii.gz")
    weights = np.stack([np.exp(-((grid[0] - c) ** 2)) for c in np.linspace(-1, 1, n_coils)])
    coils = torch.from_numpy((weights * image).transpose(3, 0, 2, 1)) if n_coils > 1 else torch.from_numpy(image.T)
    mask = np.arange(SHAPE[0]) % acceleration == 0
    mask[SHAPE[0] // 2 - center // 2 : SHAPE[0] // 2 + center // 2] = True
    kspace = image_to_kspace(coils.to(torch.complex64)).numpy() * mask
    np.savez(folder / "kspace.npz", kspace=kspace, mask=mask)
    files = {"image": [str(folder / "sub-01_T1w.nii.gz")], "kspace": str(folder / "kspace.npz")}
    return {"subject": "sub-01", "session": "", **files}, image


def reconstruct(case: dict[str, Any], output: Path, *overlays: str, **overrides: Any) -> Any:
    BUNDLE.infer(output, *overlays, cases=[case], **overrides)
    return nib.load(output / "sub-01" / "anat" / "sub-01_rec-manet_T2w.nii.gz")


@pytest.mark.parametrize("n_coils", [1, 4])
def test_measured_kspace_is_reconstructed_on_the_guides_grid(n_coils: int, tmp_path: Path) -> None:
    case, truth = measurement(tmp_path, n_coils, acceleration=1)
    result = reconstruct(case, tmp_path / "out", ZERO_FILLED)
    np.testing.assert_array_equal(result.affine, nib.load(case["image"][0]).affine)
    if n_coils == 1:
        np.testing.assert_allclose(result.get_fdata(), truth, atol=1e-3 * truth.max())
    else:  # fully sampled: the root sum of squares of the coils, but for air
        x = np.linspace(-1, 1, SHAPE[0])[:, None, None]
        shading = np.sqrt(sum(np.exp(-2 * (x - c) ** 2) for c in np.linspace(-1, 1, n_coils)))
        assert np.corrcoef(result.get_fdata().ravel(), (truth * shading).ravel())[0, 1] > 0.98


def test_fastmri_file_with_oversampling_gives_the_reconstructed_matrix(tmp_path: Path) -> None:
    case, truth = measurement(tmp_path, acceleration=1)
    with np.load(tmp_path / "kspace.npz") as archive:
        image = kspace_to_image(torch.from_numpy(archive["kspace"]))
    wide = torch.nn.functional.pad(image, (0, 0, SHAPE[1] // 2, SHAPE[1] // 2))
    header = f"""<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>
      <encodedSpace><matrixSize><x>{2 * SHAPE[1]}</x><y>{SHAPE[0]}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{4 * SHAPE[1]}</x><y>{2 * SHAPE[0]}</y><z>4</z></fieldOfView_mm></encodedSpace>
      <reconSpace><matrixSize><x>{SHAPE[1]}</x><y>{SHAPE[0]}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{2 * SHAPE[1]}</x><y>{2 * SHAPE[0]}</y><z>4</z></fieldOfView_mm></reconSpace>
      </encoding></ismrmrdHeader>"""
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file["kspace"] = image_to_kspace(wide).numpy()
        file["ismrmrd_header"] = header
    result = reconstruct(case | {"kspace": str(tmp_path / "file.h5")}, tmp_path / "out", ZERO_FILLED)
    assert result.shape == SHAPE
    np.testing.assert_allclose(result.get_fdata(), truth, atol=1e-3 * truth.max())


def test_network_with_data_consistency_keeps_measured_kspace(tmp_path: Path) -> None:
    """Up to the magnitude, as the phase of the image is that before its last network."""
    case, _ = measurement(tmp_path, acceleration=1)
    result = reconstruct(case, tmp_path / "out", kspace_noise=0, **BUNDLE.tiny).get_fdata()
    with np.load(tmp_path / "kspace.npz") as archive:
        expected = kspace_to_image(torch.from_numpy(archive["kspace"])).abs().numpy().T
    np.testing.assert_allclose(result, expected, atol=2e-2 * expected.max())


def test_noise_of_simulated_kspace_is_known_and_that_of_measured_one_estimated(dataset: Path, tmp_path: Path) -> None:
    cases = [{"image": [str(dataset / "sub-001" / "anat" / f"sub-001_{name}.nii.gz") for name in ("T1w", "T2w")]}]
    for noise, level in ((0.0, 0.0), (0.1, 0.1)):
        (item,) = parse("inference", cases=cases, noise=noise).get_parsed_content("dataset")
        image = kspace_to_image(item["measured"])
        assert item["kspace_noise"].shape == (1, image.shape[1], 1, 1)
        scale = item["zero_filled"].amax((-2, -1), keepdim=True)
        scale = scale.as_tensor().where(scale.as_tensor() > 0, 1)  # slices of air without noise
        expected = level * item["label"].as_tensor().mean() / scale
        torch.testing.assert_close(item["kspace_noise"].as_tensor(), expected, rtol=1e-3, atol=1e-6)
    case, _ = measurement(tmp_path, acceleration=1)
    with np.load(tmp_path / "kspace.npz") as archive:
        content = dict(archive)
    content["kspace"] = content["kspace"] + 100 * np.random.default_rng(0).standard_normal(SHAPE[::-1])
    np.savez(tmp_path / "kspace.npz", **content)
    (item,) = parse("inference", cases=[case]).get_parsed_content("dataset")
    scale = item["zero_filled"].as_tensor().amax((-2, -1), keepdim=True)
    assert float((item["kspace_noise"] * scale)[0, 0]) == pytest.approx(100 / 2**0.5, rel=0.4)
    (item,) = parse("inference", cases=[case], kspace_noise=3.0).get_parsed_content("dataset")
    assert float((item["kspace_noise"].as_tensor() * scale)[0, 0]) == pytest.approx(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": np.arange(SHAPE[0]) % 7 == 0}, "mask and k-space disagree"),
        ({"kspace": np.zeros(SHAPE[::-1], np.complex64)}, "zero everywhere"),
        ({"kspace": np.ones((SHAPE[1], SHAPE[0], SHAPE[2]), np.complex64)}, r"give axes \(slice, \[coil,\] y, x\)"),
        ({"shape": (24, 22, 5)}, "its images have 24 x 20 x 5 voxels, .* has 24 x 22 x 5; give .* as `reference`"),
    ],
    ids=["mask", "zero", "axes", "guide"],
)
def test_bad_kspace_is_refused_in_one_line(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    case, _ = measurement(tmp_path)
    with np.load(tmp_path / "kspace.npz") as archive:
        content = {name: archive[name] for name in archive.files}
    if "shape" in change:
        nib.save(nib.Nifti1Image(np.random.default_rng(0).random(change["shape"]), np.eye(4)), case["image"][0])
    else:
        np.savez(tmp_path / "kspace.npz", **(content | change))
    with pytest.raises(Exception, match="Failed to evaluate") as caught:
        reconstruct(case, tmp_path / "out", ZERO_FILLED)
    assert re.search(message, input_error(caught.value))
    assert "\n" not in input_error(caught.value)
    assert not (tmp_path / "out").exists()


def test_reference_gives_the_grid_to_which_the_guide_is_resampled(tmp_path: Path) -> None:
    case, _ = measurement(tmp_path)
    guide = nib.load(case["image"][0])
    nib.save(guide, tmp_path / "grid.nii.gz")
    nib.save(guide.slicer[:, 2:-2], case["image"][0])
    BUNDLE.infer(tmp_path / "out", ZERO_FILLED, cases=[case | {"reference": str(tmp_path / "grid.nii.gz")}])
    result = nib.load(tmp_path / "out" / "grid_rec-manet_T2w.nii.gz")
    np.testing.assert_array_equal(result.affine, guide.affine)


@pytest.mark.parametrize("n_coils", [1, 4])
def test_full_kspace_trains_and_is_the_reference_of_evaluations(n_coils: int, tmp_path: Path) -> None:
    case, truth = measurement(tmp_path, n_coils, acceleration=1)
    x = np.linspace(-1, 1, SHAPE[0])[:, None, None]
    shading = np.sqrt(sum(np.exp(-2 * (x - c) ** 2) for c in np.linspace(-1, 1, n_coils))) if n_coils > 1 else 1.0
    others = [case | {"subject": subject} for subject in ("sub-02", "sub-03")]
    settings = {**BUNDLE.tiny, "cases": [case, *others], "output_dir": str(tmp_path)}
    for config, key in (("train", "train::deterministic_transforms"), ("evaluate", "preprocessing::transforms")):
        parser = parse("train", **settings) if config == "train" else parse("inference", config, **settings)
        loaded = parser.get_parsed_content(key)[0](dict(case))
        assert "image" not in loaded
        label = loaded["label"][0].numpy().transpose(2, 1, 0)
        assert np.corrcoef(label.ravel(), (truth * shading).ravel())[0, 1] > 0.98
        assert loaded["guide"].shape == loaded["label"].shape
    trained = parse("train", **settings).get_parsed_content("train::dataset")[0]
    assert (trained[0] if isinstance(trained, list) else trained)["measured"].is_complex()


def test_kspace_with_empty_margins_is_complete(tmp_path: Path) -> None:
    case, _ = measurement(tmp_path, acceleration=1)
    with np.load(tmp_path / "kspace.npz") as archive:
        mask = archive["mask"].copy()
        mask[:3] = False
        np.savez(tmp_path / "cut.npz", kspace=archive["kspace"] * mask, mask=mask)
    load = parse("train", cases=[case]).get_parsed_content("train::deterministic_transforms")[0]
    assert "label" in load(case | {"kspace": str(tmp_path / "cut.npz")})


def test_undersampled_kspace_neither_trains_nor_is_a_reference(tmp_path: Path) -> None:
    case, _ = measurement(tmp_path)
    load = parse("train", cases=[case]).get_parsed_content("train::deterministic_transforms")[0]
    with pytest.raises(
        InputError, match=r"kspace.npz: only [\d.]+% of k-space is sampled.*give k-space that is sampled"
    ):
        load(dict(case))


def test_kspace_without_its_center_is_refused(tmp_path: Path) -> None:
    case, _ = measurement(tmp_path, acceleration=5, center=0)
    with pytest.raises(RuntimeError) as raised:
        reconstruct(case, tmp_path / "out", **BUNDLE.tiny)
    assert "the center of k-space is not sampled in slice 0" in str(input_error(raised.value))


def test_several_coils_go_through_the_network(tmp_path: Path) -> None:
    case, truth = measurement(tmp_path, 4, center=10)
    result = reconstruct(case, tmp_path / "out", **BUNDLE.tiny).get_fdata()
    x = np.linspace(-1, 1, SHAPE[0])[:, None, None]
    shaded = truth * np.sqrt(sum(np.exp(-2 * (x - c) ** 2) for c in np.linspace(-1, 1, 4)))
    assert ((result - shaded) ** 2).sum() < 0.05 * (shaded**2).sum()


@pytest.mark.skipif(not REAL_KSPACE.exists(), reason="no real k-space at hand")
def test_real_multi_coil_kspace_looks_like_a_head(tmp_path: Path) -> None:
    kspace = np.load(REAL_KSPACE)[None]
    np.savez(tmp_path / "kspace.npz", kspace=kspace, mask=kspace[0].any(0))
    guide = np.random.default_rng(0).random((kspace.shape[-1], kspace.shape[-2], 1))
    nib.save(nib.Nifti1Image(guide, np.eye(4)), tmp_path / "sub-01_T1w.nii.gz")
    case = {"subject": "sub-01", "image": [str(tmp_path / "sub-01_T1w.nii.gz")], "kspace": str(tmp_path / "kspace.npz")}
    image = reconstruct(case, tmp_path / "out", ZERO_FILLED).get_fdata()[..., 0]
    inside = image[60:120, 75:155].mean()
    corners = np.mean([image[:12, :12], image[-12:, :12], image[:12, -12:], image[-12:, -12:]])
    assert inside > 5 * corners


def test_training_and_inference_scale_alike() -> None:
    train, inference = parse("train"), parse("inference")
    steps = [step for step in train["train::input_transforms"] if step["_target_"].endswith("ScaleByQuantiled")]
    for part in ("train", "validate"):
        assert train[f"{part}::preprocessing::transforms"].endswith("+ @train::input_transforms")
    for name in ("quantile", "axis", "reference_key"):
        assert steps[0][name] == inference["scaling"][name]


@pytest.mark.parametrize("overlay", ["", *BUNDLE.overlays()])
def test_every_network_maps_kspace_to_images_with_a_loss(overlay: str) -> None:
    parser = parse("train", *filter(None, [overlay]))
    network, loss = parser.get_parsed_content("network_def"), parser.get_parsed_content("loss")
    kspace = image_to_kspace(torch.rand(2, 1, 48, 40))
    others = torch.rand(2, 1, 48, 40), torch.ones(2, 1, 48, 40, dtype=torch.bool), torch.full((2, 1, 1, 1), 0.01)
    output = network(kspace, *others, kspace)
    image = output["image"] if isinstance(output, dict) else output
    assert image.shape == (2, 1, 48, 40)
    assert loss(output, torch.rand(2, 2, 48, 40) + 0j).isfinite()


def test_one_tensor_that_monai_label_passes_gives_the_image_of_all_inputs(dataset: Path, tmp_path: Path) -> None:
    settings = {**BUNDLE.tiny, "cases": [], "output_dir": str(tmp_path)}
    app, bundle = (parse("inference", *overlays, **settings) for overlays in (["monailabel/inference"], []))
    network, inferer = bundle.get_parsed_content("network").eval(), bundle.get_parsed_content("inferer")
    images = [str(dataset / "sub-001" / "anat" / f"sub-001_{name}.nii.gz") for name in ("T1w", "T2w")]
    passed, given = (parser.get_parsed_content("preprocessing")({"image": images}) for parser in (app, bundle))
    with torch.no_grad():
        image = inferer(passed["image"][None], network)
        keys = {"auxiliary": "guide", "mask": "sampled", "noise": "kspace_noise", "measured": "measured"}
        assert keys == bundle["prepare_batch::extra_keys"]
        others = {name: given[key][None] for name, key in keys.items()}
        expected = inferer(given["image"][None], network, **others)
    torch.testing.assert_close(image.as_tensor(), expected.as_tensor())


ONE_INPUT = {
    "_meta_::network_data_format::inputs::image::num_channels": 4,
    "_meta_::network_data_format::inputs::image::dtype": "float32",
}


def test_one_input_passes_monais_check_and_is_the_same_network() -> None:
    configs = BUNDLE.root / "configs"
    files = [str(configs / "inference.yaml"), str(configs / "one_input.yaml")]
    verify_net_in_out("network_def", str(configs / "metadata.json"), files, device="cpu", any=16, **ONE_INPUT)
    parser = ConfigParser()
    parser.read_config(files)
    torch.manual_seed(0)
    stacked = parser.get_parsed_content("network_def").eval()
    plain = MANet(width=32, is_residual=True, data_consistency=True, knows_noise=True).eval()
    plain.load_state_dict(stacked.state_dict())
    x = torch.rand(1, 4, 16, 16)
    x[:, 3] = x[:, 3] > 0.5
    x[:, :2] *= x[:, 3:]
    with torch.no_grad():
        expected = plain(torch.complex(x[:, :1], x[:, 1:2]), x[:, 2:3], x[:, 3:].bool())["image"]
        assert torch.equal(stacked(x), expected)
        noise, measured = torch.full((1, 1, 16, 16), 0.1), torch.rand(1, 2, 16, 16)
        samples = torch.complex(measured[:, :1], measured[:, 1:])
        kspace, guide, mask = torch.complex(x[:, :1], x[:, 1:2]), x[:, 2:3], x[:, 3:].bool()
        expected = plain(kspace, guide, mask, noise[..., :1, :1], samples)["image"]
        assert torch.equal(stacked(torch.cat([x, noise, measured], 1)), expected)

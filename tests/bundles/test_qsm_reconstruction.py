"""The bundle's workflows, end to end on a tiny simulated dataset."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy import ndimage

from mri_attention.datasets.regions import Regions
from mri_attention.simulation.qsm_subject import FieldProtocol, write_qsm_subject
from tests.bundles.bundle_configs import BundleConfigs

BUNDLE = BundleConfigs("qsm_reconstruction_fanet")
parse = BUNDLE.parse
OBLIQUE = (0.0, 0.6, 0.8)


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fields")
    brain = np.linalg.norm(np.indices((26, 24, 22)) - np.array([13, 12, 11])[:, None, None, None], axis=0) < 10
    for number in (1, 2):
        rng = np.random.default_rng(number)
        chi = ndimage.gaussian_filter(rng.normal(size=brain.shape), 1.5)
        chi = 0.05 * chi / chi.std()
        protocol = FieldProtocol(OBLIQUE, spacing=(1.0, 1.0, 2.0))
        labels = np.where(np.indices(brain.shape)[0] < 13, 1, 2).astype(np.int16)
        regions = Regions(labels, {1: "globus pallidus", 2: "gray_matter"})
        write_qsm_subject(folder, f"sub-{number}", chi, brain, np.eye(4), protocol, rng, regions=regions)
    return folder


@pytest.fixture(scope="module")
def predicted(trained: Path, fields: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("evaluation")
    settings = {"dataset_dir": str(fields), "model_file": str(trained / "models" / "model.pt"), **BUNDLE.tiny}
    BUNDLE.infer(output, "evaluate", **settings)
    return output


def test_the_cache_of_training_holds_each_map_once(fields: Path) -> None:
    (case,) = parse("train", dataset_dir=str(fields), **BUNDLE.tiny).get_parsed_content("train::dataset")._cache
    held = {name: value.untyped_storage().nbytes() for name, value in case.items() if isinstance(value, torch.Tensor)}
    n_voxels = case["mask"].numel()
    expected = {"image": 16 * n_voxels, "label": 4 * n_voxels, "mask": n_voxels, "mask_bg_indices": 8}
    expected |= {"voxel_size": 12, "b0_direction": 12, "mask_fg_indices": 8 * int((case["mask"] > 0).sum())}
    assert held == expected


def test_training_in_the_way_of_the_paper(fields: Path, tmp_path: Path) -> None:
    small = {"network_def::kernel_size": 3, "classical": None, "patch": [16, 16, 8], "subjects": 2}
    BUNDLE.train(tmp_path, fields, "paper", **small)
    assert (tmp_path / "models" / "model.pt").is_file()


def test_maps_lie_on_the_grid_of_the_field_and_name_direction_and_zero(predicted: Path, fields: Path) -> None:
    field = nib.load(fields / "sub-1" / "anat" / "sub-1_localfield.nii.gz")
    anat = predicted / "sub-1" / "anat"
    for suffix in ("Chimap", "desc-input_localfield", "desc-reference_Chimap"):
        result = nib.load(anat / f"sub-1_{suffix}.nii.gz")
        assert result.shape == field.shape
        np.testing.assert_array_equal(result.affine, field.affine)
    sidecar = json.loads((anat / "sub-1_Chimap.json").read_text())
    assert sidecar["Units"] == "ppm"
    np.testing.assert_allclose(sidecar["B0Direction"], OBLIQUE, atol=1e-5)
    chi, mask = nib.load(anat / "sub-1_Chimap.nii.gz").get_fdata(), field.get_fdata() != 0
    assert chi[mask].mean() == pytest.approx(0, abs=1e-6)
    assert not chi[~mask].any()


def test_a_field_without_truth_gives_a_map(trained: Path, fields: Path, tmp_path: Path) -> None:
    case = {"subject": "sub-1", "session": "", "image": [str(next(fields.glob("sub-*/anat/*_localfield.nii.gz")))]}
    BUNDLE.infer(tmp_path, cases=[case], model_file=str(trained / "models" / "model.pt"), **BUNDLE.tiny)
    (result,) = tmp_path.rglob("*_Chimap.nii.gz")
    assert abs(nib.load(result).get_fdata()).max() > 0


def nrmse(output: Path, fields: Path, *overlays: str, **settings: Any) -> float:
    done = BUNDLE.infer(output, "evaluate", *overlays, dataset_dir=str(fields), **settings)
    return float(done.parser.get_parsed_content("evaluator").state.metrics["nrmse"])


def test_an_untrained_network_has_the_error_of_its_classical_solution(fields: Path, tmp_path: Path) -> None:
    network = nrmse(tmp_path / "network", fields, **BUNDLE.tiny)
    solver = nrmse(tmp_path / "solver", fields, "solvers/tikhonov", patch=[16] * 3)
    assert network == pytest.approx(solver, rel=1e-2)
    assert solver < 90


def test_the_direction_of_b0_matters(fields: Path, tmp_path: Path) -> None:
    known = nrmse(tmp_path / "known", fields, "solvers/tikhonov")
    wrong = nrmse(tmp_path / "wrong", fields, "solvers/tikhonov", b0_direction="1,0,0")
    assert wrong > 1.2 * known


def test_a_fit_to_the_field_corrects_a_map(fields: Path, tmp_path: Path) -> None:
    """Tikhonov's map of great weight is too flat."""
    flat = {"classical::weight": 1.0, "patch": [16] * 3}
    alone = nrmse(tmp_path / "alone", fields, "solvers/tikhonov", **flat)
    fit = nrmse(tmp_path / "fit", fields, "solvers/tikhonov", "data_consistency", **flat)
    held = nrmse(tmp_path / "held", fields, "solvers/tikhonov", **flat, data_consistency=1e6)
    assert fit < 0.95 * alone
    assert held == pytest.approx(alone, rel=1e-4)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # statistics of regions that are not there
def test_errors_by_region_are_those_of_the_files(fields: Path, tmp_path: Path) -> None:
    done = BUNDLE.infer(tmp_path, "evaluate", "solvers/tikhonov", "regions", dataset_dir=str(fields))
    details = done.parser.get_parsed_content("evaluator").state.metric_details
    anat = tmp_path / "sub-1" / "anat"
    error, reference = (
        nib.load(anat / f"sub-1_{suffix}.nii.gz").get_fdata() for suffix in ("Chimap", "desc-reference_Chimap")
    )
    error -= reference
    labels = np.asarray(nib.load(next(fields.rglob("sub-1_dseg.nii.gz"))).dataobj)
    for region, label in (("pallidum", 1), ("gray_matter", 2)):
        values = error[labels == label]
        assert details[f"{region}_bias_ppm"][0].item() == pytest.approx(values.mean(), rel=1e-3, abs=1e-7)
        assert details[f"{region}_rmse_ppm"][0].item() == pytest.approx(np.sqrt((values**2).mean()), rel=1e-4)
    assert details["caudate_bias_ppm"].isnan().all()


def test_metrics_of_regions_have_the_numbers_of_their_names() -> None:
    parser = parse("inference", "evaluate", "regions")
    numbers = {name: number for number, name in enumerate(parser["regions"], start=1)}
    for name, number in numbers.items():
        for error in ("bias", "rmse"):
            metric = parser[f"additional_metrics::{name}_{error}_ppm::metric_fn"]
            assert (metric["regions"], metric["errors"]) == ({name: number}, [error])


@pytest.mark.parametrize("overlay", BUNDLE.overlays())
@pytest.mark.parametrize("config", ["train", "inference"])
def test_every_network_maps_its_channels_to_one(overlay: str, config: str) -> None:
    parser = parse(config, overlay)
    n_channels = 1 if parser["classical"] is None else 4
    with torch.no_grad():
        network = parser.get_parsed_content("network_def").eval()
        assert network(torch.randn(1, n_channels, 16, 16, 16)).shape == (1, 1, 16, 16, 16)


@pytest.mark.parametrize(
    ("overlay", "attention"),
    [
        ("qsmnet", "Identity"),
        ("qsmnet_self", "SelfAttention"),
        ("qsmnet_da", "DualAttention"),
        ("qsmnet_rsa", "RecurrentSliceAttention"),
        ("fa_qsmnet", "FoldedAttention"),
    ],
)
def test_networks_of_the_field_alone_differ_in_their_attention_only(overlay: str, attention: str) -> None:
    parser = parse("train", f"networks/{overlay}")
    assert parser["classical"] is None
    unet = parser.get_parsed_content("network_def").unet
    assert type(unet.attention).__name__ == attention
    rest = [parameter for name, parameter in unet.named_parameters() if not name.startswith("attention")]
    assert sum(parameter.numel() for parameter in rest) == 1_136_561


@pytest.mark.parametrize("overlay", BUNDLE.overlays("solvers"))
def test_every_solver_parses_and_has_no_parameters(overlay: str) -> None:
    parser = parse("inference", overlay)
    parser.get_parsed_content("preprocessing")
    assert not list(parser.get_parsed_content("network_def").parameters())


def test_the_paper_has_the_size_of_qsmnet_and_attention() -> None:
    network = parse("train", "paper").get_parsed_content("network_def")
    attention = sum(p.numel() for p in network.unet.attention.parameters())
    assert sum(p.numel() for p in network.parameters()) - attention == 99_453_985

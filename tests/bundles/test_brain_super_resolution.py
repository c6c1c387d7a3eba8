"""The bundle's workflows, end to end on a tiny simulated dataset."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, verify_net_in_out

from mri_attention.datasets import InputError, find_cases
from mri_attention.simulation.cohort import simulate_dataset
from tests.bundles.bundle_configs import BundleConfigs

CONFIGS = BundleConfigs("brain_super_resolution_cftn")
ROOT, parse, run = CONFIGS.root, CONFIGS.parse, CONFIGS.run
TINY = {"network_def::channels": 4, "network_def::n_blocks": 2, "network_def::projections": [1]}
SHORT = {"epochs": 1, "steps": 2, "val_interval": 1, "progress": False, "patch": 8, "validation_share": 0.5}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    simulate_dataset(folder, n_subjects=2, seed=1, spacing=5.0)
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


def test_training_patches_are_degraded_ones_at_three_times_the_voxels(dataset: Path) -> None:
    parser = parse("train", dataset_dir=str(dataset), scale=3, patch=6, samples=3, progress=False)
    (batch,) = [next(iter(parser.get_parsed_content("train::dataloader")))]
    assert batch["image"].shape == (3, 1, 6, 6, 6)
    assert batch["label"].shape == (3, 1, 18, 18, 18)


@pytest.fixture(scope="module")
def evaluated(trained: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ConfigWorkflow]:
    output = tmp_path_factory.mktemp("evaluation")
    model = str(trained / "models" / "model.pt")
    settings = {"dataset_dir": str(dataset), "output_dir": str(output), "model_file": model, **TINY}
    return output, run("infer", ("inference", "evaluate"), **settings)


def test_evaluation_reports_every_metric_for_every_case(evaluated: tuple[Path, ConfigWorkflow]) -> None:
    details = evaluated[1].parser.get_parsed_content("evaluator").state.metric_details
    assert set(details) == {"psnr", "ssim", "psnr_brain", "ssim_brain"}
    for values in details.values():
        assert len(values) == 2
        assert np.isfinite(values.numpy()).all()


def test_evaluation_saves_input_result_and_reference_on_the_grid_of_the_truth(
    evaluated: tuple[Path, ConfigWorkflow], dataset: Path
) -> None:
    truth = nib.load(dataset / "sub-001" / "anat" / "sub-001_T1w.nii.gz")
    shape = tuple(n - n % 2 for n in truth.shape)
    for suffix in ("desc-input", "rec-cftn", "desc-reference"):
        image = nib.load(evaluated[0] / "sub-001" / "anat" / f"sub-001_{suffix}_T1w.nii.gz")
        assert image.shape == shape
        np.testing.assert_allclose(image.affine, truth.affine, atol=1e-5)
    values = truth.get_fdata()[tuple(slice(n) for n in shape)]
    np.testing.assert_allclose(image.get_fdata(), values, atol=1e-4 * values.max())


def write(path: Path, values: np.ndarray, voxel_size: float = 2.0) -> Path:
    """Write a volume with oblique axes."""
    axes = np.linalg.qr(np.array([[1.0, 0.2, 0.1], [-0.1, 1.0, 0.3], [0.2, -0.2, 1.0]]))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes * voxel_size, [-11, 5, 7]
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values.astype(np.float32), affine), path)
    return path


def magnify(folder: Path, values: np.ndarray, *overlays: str, **settings: Any) -> tuple[Any, Any]:
    """Write a volume, run inference, and return both images."""
    source = write(folder / "in" / "sub-1" / "anat" / "sub-1_T1w.nii.gz", values)
    settings = {"dataset_dir": str(folder / "in"), "output_dir": str(folder / "out"), **settings}
    run("infer", ("inference", *overlays), **settings)
    return nib.load(source), nib.load(folder / "out" / "sub-1" / "anat" / "sub-1_rec-cftn_T1w.nii.gz")


def blob(*shape: int) -> np.ndarray:
    center = np.array([n * share for n, share in zip(shape, (0.45, 0.6, 0.5), strict=True)])
    squares = ((np.indices(shape).T - center) ** 2).sum(-1).T
    return 700 * np.exp(-squares / (2 * 2.0**2))


def center_of_mass(image: Any) -> np.ndarray:
    values = image.get_fdata()
    weights = values / values.sum()
    return image.affine[:3, :3] @ [(weights * index).sum() for index in np.indices(values.shape)] + image.affine[:3, 3]


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("overlays", [("networks/cubic",), ("networks/deconvolved",)])
def test_a_blob_keeps_its_place_in_the_world(scale: int, overlays: tuple[str, ...], tmp_path: Path) -> None:
    source, result = magnify(tmp_path, blob(25, 22, 19), *overlays, scale=scale)
    assert result.shape == tuple(scale * n for n in source.shape)
    np.testing.assert_allclose(center_of_mass(result), center_of_mass(source), atol=0.01)
    np.testing.assert_allclose(result.get_fdata().max(), source.get_fdata().max(), rtol=0.05 if overlays[0].endswith("cubic") else 0.5)


def test_outer_edges_of_the_grids_coincide(tmp_path: Path) -> None:
    source, result = magnify(tmp_path, blob(12, 13, 14), "networks/trilinear", scale=3)
    first = [-0.5, -0.5, -0.5, 1]
    np.testing.assert_allclose(result.affine @ first, source.affine @ first, atol=1e-4)
    last = [[*(np.array(image.shape) - 0.5), 1] for image in (source, result)]
    np.testing.assert_allclose(result.affine @ last[1], source.affine @ last[0], atol=1e-4)
    assert [int(result.header[code]) for code in ("qform_code", "sform_code")] == [
        int(source.header[code]) for code in ("qform_code", "sform_code")
    ]


def test_train_and_inference_agree() -> None:
    assert parse("train")["network_def"] == parse("inference")["network_def"]


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("overlay", sorted(p.stem for p in (ROOT / "configs" / "networks").glob("*.yaml")))
def test_every_network_magnifies(overlay: str, scale: int) -> None:
    network = parse("inference", f"networks/{overlay}", scale=scale).get_parsed_content("network_def").eval()
    with torch.no_grad():
        assert network(torch.rand(1, 1, 4, 5, 6)).shape == (1, 1, 4 * scale, 5 * scale, 6 * scale)


@pytest.mark.parametrize("config", ["inference", "train"])
def test_network_fulfills_the_metadata(config: str) -> None:
    verify_net_in_out("network_def", str(ROOT / "configs" / "metadata.json"), CONFIGS.files(config)[0], n=4, p=4)


def test_multi_gpu_overlay_parses() -> None:
    assert parse("train", "multi_gpu_train")["network"]["_target_"].endswith("DistributedDataParallel")


def test_bad_input_has_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no T1w image"):
        write(tmp_path / "a" / "sub-1" / "anat" / "sub-1_T2w.nii.gz", blob(6, 6, 6))
        find_cases(tmp_path / "a", ("T1w",))
    for name, values, message in (("b", np.zeros((6, 6, 6)), "all voxels are zero"), ("c", blob(6, 6, 1), "2D image")):
        write(tmp_path / name / "sub-1" / "anat" / "sub-1_T1w.nii.gz", values)
        with pytest.raises(RuntimeError) as error:
            run("infer", ("inference", "networks/cubic"), dataset_dir=str(tmp_path / name), output_dir=str(tmp_path / "out"))
        causes = [error.value]
        while causes[-1].__cause__ is not None:
            causes.append(causes[-1].__cause__)  # type: ignore[arg-type]
        assert isinstance(causes[-1], InputError)
        assert message in str(causes[-1])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("overlays", "scale", "n_parameters"),
    [
        ((), 2, 1_222_180),
        ((), 3, 2_798_724),
        (("paper",), 2, 3_495_974),
        (("networks/cftn_without_mfem",), 2, 722_253),
        (("networks/cftn_without_safm",), 2, 1_222_125),
        (("networks/srcnn3d",), 2, 52_801),
        (("networks/recnn",), 2, 888_769),
        (("networks/ddsr",), 2, 435_201),
        (("networks/eddsr",), 2, 648_897),
        (("networks/fasr",), 2, 563_487),
    ],
)
def test_networks_have_the_documented_sizes(overlays: tuple[str, ...], scale: int, n_parameters: int) -> None:
    network = parse("train", *overlays, scale=scale).get_parsed_content("network_def")
    assert sum(p.numel() for p in network.parameters()) == n_parameters


def test_quickstart_fits_training_and_inference() -> None:
    assert parse("train", "quickstart")["network_def"] == parse("inference", "quickstart")["network_def"]


def test_result_is_not_darker_than_the_input(tmp_path: Path) -> None:
    values = np.full((12, 12, 12), 5.0)
    values[4:8, 4:8, 4:8] = 900.0  # never blurred, so that the network overshoots
    result = magnify(tmp_path, values)[1].get_fdata()
    assert result.min() == pytest.approx(5.0)
    assert result.max() > 900.0


def test_shipped_weights_fit_both_scales_and_the_limit() -> None:
    models = {scale: ROOT / "models" / f"model{suffix}.pt" for scale, suffix in ((2, ""), (3, "_x3"))}
    assert sum(model.stat().st_size for model in models.values()) <= 8 * 2**20
    for scale, model in models.items():
        network = parse("inference", scale=scale).get_parsed_content("network_def")
        network.load_state_dict(torch.load(model, weights_only=True))

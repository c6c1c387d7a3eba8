"""The bundle's workflows, end to end on a tiny simulated dataset."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import Compose

from mri_attention.datasets import InputError
from tests.bundles.bundle_configs import BundleConfigs, input_error
from tests.bundles.conftest import Evaluated

BUNDLE = BundleConfigs("brain_super_resolution_cftn")
parse = BUNDLE.parse


def test_training_patches_are_degraded_ones_at_three_times_the_voxels(dataset: Path) -> None:
    parser = parse("train", dataset_dir=str(dataset), scale=3, patch=6, samples=3, progress=False)
    batch = next(iter(parser.get_parsed_content("train::dataloader")))
    assert batch["image"].shape == (3, 1, 6, 6, 6)
    assert batch["label"].shape == (3, 1, 18, 18, 18)


def test_patches_of_training_have_one_of_the_blurs(dataset: Path) -> None:
    parser = parse("train", dataset_dir=str(dataset), patch=6, samples=1, progress=False, sigmas=[1.0, 0.0])
    case = parser.get_parsed_content("parts")[0][0]
    both = Compose(parser.get_parsed_content("train::deterministic_transforms"))(case)
    chain = Compose(parser.get_parsed_content("train::random_transforms")[:2]).set_random_state(0)
    patches = [chain(both)[0]["image"][0] for _ in range(16)]
    found = [[_lies_in(volume, patch) for volume in both["image"]] for patch in patches]
    assert all(sum(places) == 1 for places in found)
    assert 3 < sum(places[0] for places in found) < 13


def _lies_in(volume: torch.Tensor, patch: torch.Tensor) -> bool:
    windows = volume
    for axis, n in enumerate(patch.shape):
        windows = windows.unfold(axis, n, 1)
    return bool((windows == patch).flatten(3).all(-1).any())


def test_thick_slices_are_trained_on_and_made_thin(dataset: Path, tmp_path: Path) -> None:
    given = {"dataset_dir": str(dataset), "patch": 6, "samples": 3, "progress": False}
    batch = next(iter(parse("train", "thick_slices", **given).get_parsed_content("train::dataloader")))
    assert batch["image"].shape == (3, 1, 6, 6, 6)
    assert batch["label"].shape == (3, 1, 6, 6, 18)
    tiny = {name: value for name, value in BUNDLE.tiny.items() if "projections" not in name}
    network = parse("inference", "thick_slices", **tiny).get_parsed_content("network_def")
    torch.save(network.state_dict(), tmp_path / "model.pt")
    settings = {"model_file": str(tmp_path / "model.pt"), **tiny}
    result = magnify(tmp_path, blob(12, 13, 8), "thick_slices", **settings)[1]
    assert result.shape == (12, 13, 24)
    np.testing.assert_allclose(np.linalg.norm(result.affine[:3, :3], axis=0), [2, 2, 2 / 3], rtol=1e-4)


def test_reference_is_the_t1w_itself(evaluated: Evaluated, dataset: Path) -> None:
    truth = nib.load(dataset / "sub-001" / "anat" / "sub-001_T1w.nii.gz").get_fdata()
    reference = nib.load(evaluated[0] / "sub-001" / "anat" / "sub-001_desc-reference_T1w.nii.gz").get_fdata()
    values = truth[tuple(slice(n) for n in reference.shape)]
    np.testing.assert_allclose(reference, values, atol=1e-4 * values.max())


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
    BUNDLE.run("infer", ("inference", *overlays), **settings)
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
    np.testing.assert_allclose(
        result.get_fdata().max(), source.get_fdata().max(), rtol=0.05 if overlays[0].endswith("cubic") else 0.5
    )


def test_outer_edges_of_the_grids_coincide(tmp_path: Path) -> None:
    source, result = magnify(tmp_path, blob(12, 13, 14), "networks/trilinear", scale=3)
    first = [-0.5, -0.5, -0.5, 1]
    np.testing.assert_allclose(result.affine @ first, source.affine @ first, atol=1e-4)
    last = [[*(np.array(image.shape) - 0.5), 1] for image in (source, result)]
    np.testing.assert_allclose(result.affine @ last[1], source.affine @ last[0], atol=1e-4)
    assert [int(result.header[code]) for code in ("qform_code", "sform_code")] == [
        int(source.header[code]) for code in ("qform_code", "sform_code")
    ]


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("overlay", BUNDLE.overlays())
def test_every_network_magnifies(overlay: str, scale: int) -> None:
    network = parse("inference", overlay, scale=scale).get_parsed_content("network_def").eval()
    with torch.no_grad():
        assert network(torch.rand(1, 1, 4, 5, 6)).shape == (1, 1, 4 * scale, 5 * scale, 6 * scale)


@pytest.mark.parametrize(("base", "places"), [((), "1 3 5"), (("paper",), "1 5 9")], ids=["default", "paper"])
def test_three_mfem_lie_where_table_2_has_them(base: tuple[str, ...], places: str) -> None:
    network = parse("train", *base, "networks/cftn_three_mfem").get_parsed_content("network_def")
    assert " ".join(network.projections) == places


@pytest.mark.parametrize(
    ("contrast", "values", "message"),
    [
        ("T2w", blob(6, 6, 6), "no T1w image"),
        ("T1w", np.zeros((6, 6, 6)), "all voxels are zero"),
        ("T1w", blob(6, 6, 1), "2D image"),
    ],
    ids=["contrast", "zero", "2D"],
)
def test_bad_input_is_told_before_anything_is_written(
    contrast: str, values: np.ndarray, message: str, tmp_path: Path
) -> None:
    write(tmp_path / "in" / "sub-1" / "anat" / f"sub-1_{contrast}.nii.gz", values)
    with pytest.raises((RuntimeError, InputError)) as error:
        BUNDLE.infer(tmp_path / "out", "networks/cubic", dataset_dir=str(tmp_path / "in"))
    assert message in input_error(error.value)
    assert not (tmp_path / "out").exists()


def test_the_network_for_threefold_resolution_has_the_documented_size() -> None:
    network = parse("train", scale=3).get_parsed_content("network_def")
    assert sum(p.numel() for p in network.parameters()) == 2_798_724


def test_result_is_not_darker_than_the_input(tmp_path: Path) -> None:
    values = np.full((12, 12, 12), 5.0)
    values[4:8, 4:8, 4:8] = 900.0  # never blurred, so that the network overshoots
    result = magnify(tmp_path, values)[1].get_fdata()
    assert result.min() == pytest.approx(5.0)
    assert result.max() > 900.0

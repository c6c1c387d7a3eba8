"""Tests of transforms.contrasts."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, decollate_batch, list_data_collate
from scipy.ndimage import map_coordinates

from mri_attention.datasets.input_error import InputError
from mri_attention.datasets.volumes import header_of, read_volume
from mri_attention.transforms.load_contrasts import (
    ApplyBrainMaskd,
    LoadContrastsd,
    LoadLabeld,
    contrast_paths,
    covered_fraction,
    resample_to,
    same_grid,
)

REAL = Path(__file__).parents[3] / "shared" / "data"
CONTRASTS = ("T1w", "T2w", "FLAIR")
GRID = np.array([[-2.0, 0, 0, 20], [0, 2, 0, -22], [0, 0, 3, -15], [0, 0, 0, 1]])
ROTATED = GRID @ np.array([[0.8, -0.6, 0, 3], [0.6, 0.8, 0, -2], [0, 0, 1, 1], [0, 0, 0, 1]])


def blob(affine: np.ndarray, shape: tuple[int, ...] = (20, 22, 10), center: Sequence[float] = (0, 0, 0)) -> np.ndarray:
    """Sample a smooth ball at ``center`` (mm) on a grid."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    distance = np.linalg.norm(voxels @ affine[:3, :3].T + affine[:3, 3] - center, axis=-1)
    return np.exp(-((distance / 10) ** 2)).astype(np.float32)


def save(path: Path, data: np.ndarray, affine: np.ndarray = GRID) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def patient(folder: Path, t1w: np.ndarray = GRID, name: str = "sub-01") -> list[str]:
    """Write three contrasts (scaled by 1, 2, 3), the T1w on its own grid."""
    grids = {"T1w": t1w, "T2w": GRID, "FLAIR": GRID}
    return [
        str(save(folder / f"{name}_{contrast}.nii.gz", k * blob(grid), grid))
        for k, (contrast, grid) in enumerate(grids.items(), 1)
    ]


def tensor(data: np.ndarray, affine: np.ndarray = GRID) -> MetaTensor:
    return MetaTensor(torch.from_numpy(data)[None], affine=torch.from_numpy(affine), meta={"filename_or_obj": "a.nii"})


@pytest.mark.parametrize("form", ["list", "mapping", "siblings", "siblings of another", "one in a list"])
def test_paths_in_every_form_give_the_same_image(tmp_path: Path, form: str) -> None:
    paths = patient(tmp_path)
    value = {
        "list": paths,
        "mapping": dict(zip(CONTRASTS[::-1], paths[::-1], strict=True)),
        "siblings": paths[2],
        "siblings of another": paths[0],
        "one in a list": paths[2:],
    }[form]
    image = LoadContrastsd()({"image": value})["image"]
    expected = np.stack([k * blob(GRID) for k in (1, 2, 3)])
    np.testing.assert_array_equal(image.numpy(), expected)


def test_image_has_affine_header_and_name_of_the_reference(tmp_path: Path) -> None:
    paths = patient(tmp_path, t1w=ROTATED)
    for reference, path in zip(CONTRASTS, paths, strict=True):
        image = LoadContrastsd(reference=reference)({"image": paths})["image"]
        expected = read_volume(path)
        np.testing.assert_array_equal(image.affine.numpy(), expected.affine.numpy())
        assert header_of(image) == header_of(expected)
        assert image.meta["filename_or_obj"] == path


def test_another_grid_is_resampled_linearly_in_world_coordinates(tmp_path: Path) -> None:
    image = LoadContrastsd()({"image": patient(tmp_path, t1w=ROTATED)})["image"]
    voxels = np.stack(np.meshgrid(*map(np.arange, (20, 22, 10)), indexing="ij")).reshape(3, -1)
    matrix = np.linalg.solve(ROTATED, GRID)
    there = matrix[:3, :3] @ voxels + matrix[:3, 3:]
    expected = map_coordinates(blob(ROTATED), there, order=1, mode="grid-constant").reshape(20, 22, 10)
    np.testing.assert_allclose(image[0].numpy(), expected, atol=2e-4)


def test_same_grid_is_not_interpolated_in_spite_of_header_noise(tmp_path: Path) -> None:
    noisy = GRID + np.random.default_rng(0).uniform(-2e-4, 2e-4, (4, 4)) * [[1], [1], [1], [0]]
    image = LoadContrastsd()({"image": patient(tmp_path, t1w=noisy)})["image"]
    np.testing.assert_array_equal(image[0].numpy(), blob(noisy))


@pytest.mark.parametrize(("change", "expected"), [(0, True), (9e-4, True), (2e-3, False)])
def test_grids_differ_beyond_the_tolerance(change: float, expected: bool) -> None:
    moved = GRID.copy()
    moved[0, 3] += change
    assert same_grid(tensor(blob(GRID)), tensor(blob(GRID), moved)) is expected


def test_grids_of_other_shapes_differ() -> None:
    assert not same_grid(tensor(blob(GRID)), tensor(blob(GRID, (20, 22, 11))))


def test_resampling_there_and_back_keeps_a_smooth_image() -> None:
    fine = np.diag([1.0, 1, 1, 1])
    fine[:3, 3] = -25
    image = tensor(blob(fine, (50, 50, 50)), fine)
    half = fine.copy()
    half[:3, 3] += 0.5
    back = resample_to(resample_to(image, tensor(blob(half, (50, 50, 50)), half)), image)
    inner = slice(5, -5)
    np.testing.assert_allclose(back[0, inner, inner, inner], image[0, inner, inner, inner], atol=0.02)


def test_registration_undoes_a_shift_of_the_header(tmp_path: Path) -> None:
    grid = np.diag([2.0, 2, 2, 1])
    grid[:3, 3] = -32
    shape, shift = (33, 33, 33), np.array([4.0, -3, 2])
    centers = ((0, 0, 0), (8, 4, -6), (-6, 10, 8))
    head = sum(k * blob(grid, shape, center) for k, center in enumerate(centers, 1))
    wrong = grid.copy()
    wrong[:3, 3] += shift
    save(tmp_path / "a_T1w.nii.gz", head, wrong)
    path = save(tmp_path / "a_FLAIR.nii.gz", 5 - head, grid)
    load = LoadContrastsd(contrasts=("T1w", "FLAIR"), register=True)
    image = load({"image": str(path)})["image"]
    motion = image.meta["motion"]
    np.testing.assert_allclose(motion[0, :3, 3], -shift, atol=0.5)
    np.testing.assert_array_equal(motion[1], np.eye(4))
    inner = slice(4, -4)
    np.testing.assert_allclose(image[0, inner, inner, inner], head[inner, inner, inner], atol=0.1)


def test_motion_found_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        LoadContrastsd(register=True)({"image": patient(tmp_path)})
    assert "T1w registered to FLAIR: rotation (" in caplog.text


def test_images_apart_are_refused(tmp_path: Path) -> None:
    away = GRID.copy()
    away[0, 3] += 500
    paths = patient(tmp_path)
    save(Path(paths[0]), blob(GRID), away)
    with pytest.raises(InputError, match=r"T1w.nii.gz: does not overlap with the FLAIR image.*--register"):
        LoadContrastsd()({"image": paths})


def test_images_that_show_nothing_of_each_other_are_refused(tmp_path: Path) -> None:
    """Within one grid, as of a thin slab below the brain that an extracted image has nothing of."""
    paths, top = patient(tmp_path), np.zeros((20, 22, 10), np.float32)
    top[:, :, -2:] = 1
    save(Path(paths[0]), top)
    save(Path(paths[2]), blob(GRID)[:, :, :3])
    with pytest.raises(InputError, match=r"T1w.nii.gz: is empty where the FLAIR image is.*--register"):
        LoadContrastsd()({"image": paths})


def test_little_overlap_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    away = GRID.copy()
    away[1, 3] += 25
    with caplog.at_level(logging.WARNING):
        LoadContrastsd()({"image": patient(tmp_path, t1w=away)})
    assert "% of the FLAIR image's foreground; consider --register" in caplog.text


def test_same_head_gives_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    LoadContrastsd()({"image": patient(tmp_path, t1w=ROTATED)})
    assert not caplog.records


def test_covered_fraction_counts_foreground_in_the_other_field_of_view() -> None:
    half = np.zeros((4, 4, 4), dtype=np.float32)
    half[:, :, :2] = 1
    grid = np.eye(4)
    assert covered_fraction(tensor(half, grid), tensor(np.ones((4, 4, 1), dtype=np.float32), grid)) == 0.5


def test_reference_must_be_a_contrast() -> None:
    with pytest.raises(ValueError, match="reference must be one of contrasts, got reference='PDw'"):
        LoadContrastsd(reference="PDw")


def test_missing_sibling_is_refused(tmp_path: Path) -> None:
    paths = patient(tmp_path)
    Path(paths[1]).unlink()
    with pytest.raises(InputError, match=r"no T2w image beside it; add sub-01_T2w.nii.gz"):
        LoadContrastsd()({"image": paths[2]})


def test_single_file_of_unknown_contrast_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not tell its contrast; end its name with one of _T1w, _T2w, _FLAIR"):
        LoadContrastsd()({"image": str(tmp_path / "brain.nii.gz")})


@pytest.mark.parametrize("n_paths", [2, 4, 0])
def test_wrong_number_of_paths_is_refused(n_paths: int) -> None:
    with pytest.raises(InputError, match=f"{n_paths} images for 3 contrasts"):
        contrast_paths(["a.nii"] * n_paths, CONTRASTS)


def test_missing_contrast_in_a_mapping_is_refused() -> None:
    with pytest.raises(InputError, match="no T2w, FLAIR given; give every contrast, --image NAME=FILE"):
        contrast_paths({"T1w": "a.nii"}, CONTRASTS)


def test_nan_is_refused_or_replaced(tmp_path: Path) -> None:
    paths = patient(tmp_path)
    data = blob(GRID)
    data[0, 0, 0] = np.nan
    save(Path(paths[0]), data)
    with pytest.raises(InputError, match="1 NaN"):
        LoadContrastsd()({"image": paths})
    assert LoadContrastsd(allow_nan=True)({"image": paths})["image"][0, 0, 0, 0] == 0


def label_data(tmp_path: Path) -> dict[str, Any]:
    return LoadContrastsd()({"image": patient(tmp_path)})


def test_label_is_integer_and_shares_the_images_affine(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    mask = (blob(GRID) > 0.5).astype(np.float32)
    data["label"] = str(save(tmp_path / "mask.nii.gz", mask, GRID + 1e-5 * np.eye(4)[3]))
    label = LoadLabeld()(data)["label"]
    assert label.dtype == torch.uint8
    np.testing.assert_array_equal(label[0].numpy(), mask)
    assert torch.equal(label.affine, data["image"].affine)


def test_label_without_lesions_is_accepted(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    data["label"] = str(save(tmp_path / "mask.nii.gz", np.zeros((20, 22, 10), dtype=np.uint8)))
    assert not LoadLabeld()(data)["label"].any()


def test_label_of_another_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    data["label"] = str(save(tmp_path / "mask.nii.gz", np.ones((20, 22, 11), dtype=np.uint8)))
    with pytest.raises(InputError, match=r"mask has shape \(20, 22, 11\), its image \(20, 22, 10\)"):
        LoadLabeld()(data)


def test_label_of_another_affine_is_refused(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    data["label"] = str(save(tmp_path / "mask.nii.gz", np.ones((20, 22, 10), dtype=np.uint8), ROTATED))
    with pytest.raises(InputError, match="affines that differ by"):
        LoadLabeld()(data)


@pytest.mark.parametrize("value", [0.5, -1, 256])
def test_label_of_other_values_is_refused(tmp_path: Path, value: float) -> None:
    data = label_data(tmp_path)
    mask = np.zeros((20, 22, 10), dtype=np.float32)
    mask[3, 3, 3] = value
    data["label"] = str(save(tmp_path / "mask.nii.gz", mask))
    with pytest.raises(InputError, match="not all integers from 0 to 255"):
        LoadLabeld()(data)


def test_brain_mask_zeroes_the_rest(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    mask = blob(GRID) > 0.5
    data["mask"] = str(save(tmp_path / "mask.nii.gz", mask.astype(np.uint8)))
    out = ApplyBrainMaskd()(data)
    np.testing.assert_array_equal(out["image"].numpy(), data["image"].numpy() * mask)
    assert torch.equal(out["image"].affine, data["image"].affine)
    assert out["image"].meta["filename_or_obj"] == data["image"].meta["filename_or_obj"]
    np.testing.assert_array_equal(out["mask"][0].numpy(), mask)


def test_brain_mask_on_a_finer_grid_is_resampled_to_nearest(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    mask = blob(GRID) > 0.5
    finer = GRID @ np.diag([1 / 3, 1 / 3, 1 / 3, 1])
    finer[:3, 3] -= GRID[:3, :3] @ np.full(3, 1 / 3)
    upsampled = mask.repeat(3, 0).repeat(3, 1).repeat(3, 2).astype(np.uint8)
    data["mask"] = str(save(tmp_path / "mask.nii.gz", upsampled, finer))
    np.testing.assert_array_equal(ApplyBrainMaskd()(data)["mask"][0].numpy(), mask)


@pytest.mark.parametrize("more", [{}, {"mask": None}])
def test_case_without_brain_mask_is_left_alone(tmp_path: Path, more: dict[str, None]) -> None:
    data = label_data(tmp_path) | more
    assert ApplyBrainMaskd()(data)["image"] is data["image"]


def test_empty_brain_mask_is_refused(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    data["mask"] = str(save(tmp_path / "mask.nii.gz", np.zeros((20, 22, 10), dtype=np.uint8)))
    with pytest.raises(InputError, match="no voxel of the mask"):
        ApplyBrainMaskd()(data)


def test_headers_and_sources_survive_batching(tmp_path: Path) -> None:
    cases = [LoadContrastsd()({"image": patient(tmp_path, name=name)}) for name in ("sub-01", "sub-02")]
    for case, after in zip(cases, decollate_batch(list_data_collate(cases)), strict=True):
        assert header_of(after["image"]) == header_of(case["image"])
        assert after["image"].meta["sources"] == case["image"].meta["sources"]
        assert after["image"].meta["filename_or_obj"] == case["image"].meta["filename_or_obj"]


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
def test_real_contrasts_on_three_grids_come_to_the_flairs(caplog: pytest.LogCaptureFixture) -> None:
    path = REAL / "multicontrast_2d/sub-04/ses-1/anat/sub-04_ses-1_FLAIR.nii.gz"
    image = LoadContrastsd()({"image": str(path)})["image"]
    assert image.shape == (3, 320, 320, 48)
    np.testing.assert_array_equal(image.affine.numpy(), nib.load(path).affine)
    flair = image[2].flatten()
    assert all(np.corrcoef(channel.flatten(), flair)[0, 1] > 0.6 for channel in image[:2])
    assert not caplog.records

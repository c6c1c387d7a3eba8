"""Tests of transforms.load_masks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.transforms import ApplyBrainMaskd, LoadContrastsd, LoadLabeld
from tests.transforms.heads import GRID, ROTATED, blob, patient, save


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


@pytest.mark.parametrize("inside", [1, 255, 1.00001, 255 * 0.003921569])
def test_label_is_0_and_1_whatever_the_file_has_for_1(tmp_path: Path, inside: float) -> None:
    data = label_data(tmp_path)
    mask = blob(GRID) > 0.5
    data["label"] = str(save(tmp_path / "mask.nii.gz", mask.astype(np.float32) * np.float32(inside)))
    np.testing.assert_array_equal(LoadLabeld()(data)["label"][0].numpy(), mask)


@pytest.mark.parametrize(
    ("values", "told"),
    [((0, 0.5), "0, 0.5"), ((0, -1), "-1, 0"), ((1, 2), "1, 2"), ((0, 2), "0, 2"), ((0, 1, 255), "0, 1, 255")],
)
def test_label_of_other_values_is_refused(tmp_path: Path, values: tuple[float, ...], told: str) -> None:
    data = label_data(tmp_path)
    mask = np.full((20, 22, 10), values[0], dtype=np.float32)
    mask[3, 3, 3 : 2 + len(values)] = values[1:]
    data["label"] = str(save(tmp_path / "mask.nii.gz", mask))
    with pytest.raises(InputError, match=rf"mask.nii.gz: holds the values {told}, a mask has 0 and 1, or 0 and 255"):
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


def test_mask_of_the_background_is_refused(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    brain = blob(GRID) > 0.5
    data["image"] = data["image"] * torch.from_numpy(brain)
    data["mask"] = str(save(tmp_path / "mask.nii.gz", (~brain).astype(np.uint8)))
    with pytest.raises(InputError, match="nothing of the image lies within the mask; give a mask that is 1 within"):
        ApplyBrainMaskd()(data)


@pytest.mark.parametrize("kind", ["fractions", "intensities"])
def test_an_image_in_the_place_of_a_brain_mask_is_refused(kind: str, tmp_path: Path) -> None:
    data, image = label_data(tmp_path), np.random.default_rng(0).random((20, 22, 10))
    values = image if kind == "fractions" else np.rint(1000 * image)
    data["mask"] = str(save(tmp_path / "mask.nii.gz", values.astype(np.float32)))
    with pytest.raises(
        InputError, match=r"mask\.nii\.gz: has \d+ values from .*, as an image has; give a mask that is 1"
    ):
        ApplyBrainMaskd()(data)


def test_labels_of_a_brain_are_a_mask(tmp_path: Path) -> None:
    data, inside = label_data(tmp_path), blob(GRID) > 0.5
    labels = inside * np.random.default_rng(0).choice([2, 41, 1035, 2035], inside.shape)
    data["mask"] = str(save(tmp_path / "mask.nii.gz", labels.astype(np.int16)))
    np.testing.assert_array_equal(ApplyBrainMaskd()(data)["mask"][0].numpy(), inside)


def test_empty_brain_mask_is_refused(tmp_path: Path) -> None:
    data = label_data(tmp_path)
    data["mask"] = str(save(tmp_path / "mask.nii.gz", np.zeros((20, 22, 10), dtype=np.uint8)))
    with pytest.raises(InputError, match="no voxel of the mask"):
        ApplyBrainMaskd()(data)


def test_nan_in_a_label_can_be_zero(tmp_path: Path) -> None:
    data, mask = label_data(tmp_path), (blob(GRID) > 0.5).astype(np.float32)
    mask[0, 0, 0] = np.nan
    data["label"] = str(save(tmp_path / "mask.nii.gz", mask, GRID))
    with pytest.raises(InputError, match="set `allow_nan` to true"):
        LoadLabeld()(data)
    label = LoadLabeld(allow_nan=True)(data)["label"]
    np.testing.assert_array_equal(label[0].numpy(), np.nan_to_num(mask))

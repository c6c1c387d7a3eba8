"""Tests of stacks of slices."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import read_volume
from mri_attention.transforms import FromSlicesd, RandSlicesd, SpreadSlicesd, ToSlicesd


def volume(
    tmp_path: Path, voxel_size: tuple[float, ...] = (1.0, 1.0, 1.0), order: tuple[int, ...] = (0, 1, 2)
) -> MetaTensor:
    data = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    affine = np.eye(4)
    affine[:3, :3] = np.diag([1.0, 1.0, 1.0])[:, list(order)] * voxel_size
    nib.save(nib.Nifti1Image(data, affine), tmp_path / "image.nii.gz")
    return read_volume(tmp_path / "image.nii.gz")


@pytest.mark.parametrize(("voxel_size", "axis"), [((3, 1, 1), 0), ((1, 3, 1), 1), ((1, 1, 3), 2)])
def test_thick_slices_become_a_stack_and_come_back(tmp_path: Path, voxel_size: tuple[float, ...], axis: int) -> None:
    image = volume(tmp_path, voxel_size)
    stack = ToSlicesd("image")({"image": image})["image"]
    rest = [n for i, n in enumerate(image.shape[1:]) if i != axis]
    assert tuple(stack.shape) == (1, image.shape[1 + axis], rest[1], rest[0])
    assert stack.meta["slice_axis"] == axis
    back = FromSlicesd("pred")({"image": stack, "pred": stack.as_tensor()})["pred"]
    torch.testing.assert_close(back.as_tensor(), image.as_tensor(), rtol=0, atol=0)
    torch.testing.assert_close(back.affine, image.affine)


def test_isotropic_slices_are_axial_whatever_the_order_of_axes(tmp_path: Path) -> None:
    stack = ToSlicesd("image")({"image": volume(tmp_path, order=(2, 0, 1))})["image"]
    assert stack.meta["slice_axis"] == 0


def test_stacks_stay(tmp_path: Path) -> None:
    stack = ToSlicesd("image")({"image": volume(tmp_path)})["image"]
    assert ToSlicesd("image")({"image": stack})["image"] is stack


def test_spacing_is_that_within_slices(tmp_path: Path) -> None:
    stack = ToSlicesd("image", spacing=2.0)({"image": volume(tmp_path, (1, 1, 3))})["image"]
    assert stack.shape[1] == 6
    assert max(stack.shape[2:]) <= 3


def test_what_is_beyond_the_grid_is_cropped(tmp_path: Path) -> None:
    stack = ToSlicesd("image")({"image": volume(tmp_path)})["image"]
    wide = torch.nn.functional.pad(stack.as_tensor(), (2, 2, 1, 1))
    back = FromSlicesd("pred")({"image": stack, "pred": wide})["pred"]
    assert tuple(back.shape) == (1, 4, 5, 6)


def test_random_slices_are_the_same_of_all_keys_and_spread_ones_equally_far() -> None:
    x = torch.arange(12.0).reshape(1, 12, 1, 1)
    drawn = RandSlicesd(["a", "b"], 5)({"a": x, "b": x})
    assert torch.equal(drawn["a"], drawn["b"])
    assert len(drawn["a"].unique()) == 5
    assert RandSlicesd("a", 20)({"a": x})["a"].shape[1] == 20
    assert SpreadSlicesd("a", 3)({"a": x})["a"].flatten().tolist() == [2, 6, 10]


def test_rejects_no_slices() -> None:
    with pytest.raises(ValueError, match="n_slices must be at least 1, got 0"):
        RandSlicesd("a", 0)

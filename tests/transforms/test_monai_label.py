"""Tests of what MONAI Label's server makes of results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Spacingd
from torch import Tensor

from mri_attention.datasets import read_volume
from mri_attention.datasets.volumes import write_volume
from mri_attention.networks.inferers import SliceBatchInferer
from mri_attention.transforms import ConcatInputsd, HandOverd, OwnKeysSpacingd

FINE = np.array([[-1.0, 0, 0, 9], [0, 1, 0, -4], [0, 0, 2, 3], [0, 0, 0, 1]])


@pytest.fixture
def data(tmp_path: Path) -> dict[str, object]:
    """A result on a finer grid than its image, in a file."""
    values = np.random.default_rng(0).normal(size=(6, 5, 4))
    path = write_volume(tmp_path / "sub-01_rec-fine_T1w.nii.gz", values, FINE)
    image = MetaTensor(torch.ones(1, 3, 5, 4), affine=torch.eye(4), meta={"spatial_shape": np.array([3, 5, 4])})
    return {"image": image, "image_path": "sub-01_T1w.npz", "pred": torch.zeros(1, 3, 5, 4), "pred_path": str(path)}


def test_server_gets_grid_and_values_of_the_file(data: dict[str, object]) -> None:
    out = HandOverd()(data)
    written = read_volume(str(data["pred_path"]))
    torch.testing.assert_close(out["pred"].as_tensor(), written.as_tensor(), rtol=0, atol=0)
    assert out["image"].meta["spatial_shape"].tolist() == [6, 5, 4]
    np.testing.assert_array_equal(out["image"].meta["original_affine"], FINE)
    assert out["result"] == {"file": data["pred_path"]}


def test_image_that_was_given_stays_as_it_was(data: dict[str, object]) -> None:
    HandOverd()(data)
    assert data["image"].meta["spatial_shape"].tolist() == [3, 5, 4]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("asked", "any_value"), [("uint8", False), ("float32", True), (None, True)])
def test_values_are_not_cut_to_integers(data: dict[str, object], asked: str | None, any_value: bool) -> None:
    assert bool(HandOverd()(data | {"result_dtype": asked})["pred"].any()) is any_value


def test_labels_are_integers(tmp_path: Path, data: dict[str, object]) -> None:
    mask = np.arange(120).reshape(6, 5, 4) % 2
    write_volume(tmp_path / "mask.nii.gz", mask, FINE, dtype="uint8")
    settings = {"mask_path": str(tmp_path / "mask.nii.gz"), "result_dtype": "uint8"}
    out = HandOverd("mask_path", is_label=True)(data | settings)
    assert out["pred"].dtype == torch.uint8
    np.testing.assert_array_equal(out["pred"][0].numpy(), mask)


def test_spacing_leaves_other_keys_alone() -> None:
    image = MetaTensor(torch.arange(64.0).reshape(1, 4, 4, 4), meta={"filename_or_obj": "sub-01_FLAIR.nii.gz"})
    case = {"image": image, "image_path": "sub-01_FLAIR.nii.gz"}
    with pytest.raises(AttributeError):  # if this passes, MONAI has mended it, and the class may go
        Spacingd("image", [2.0] * 3)(dict(case))
    spacing = OwnKeysSpacingd("image", [2.0] * 3)
    out = spacing(case)
    assert out["image_path"] == case["image_path"]
    torch.testing.assert_close(out["image"], Spacingd("image", [2.0] * 3)({"image": image})["image"])
    assert spacing.inverse(out)["image"].shape == image.shape


def test_inputs_of_a_network_become_channels_in_order() -> None:
    kspace = MetaTensor(torch.randn(1, 3, 4, 5, dtype=torch.complex64), meta={"slice_axis": 2})
    case = {"kspace": kspace, "guide": MetaTensor(torch.randn(1, 3, 4, 5)), "mask": torch.arange(5).ne(2)[None, None]}
    out = ConcatInputsd(["kspace", "guide", "mask"], "all")(case)
    assert out["all"].meta["slice_axis"] == 2
    for channel, given in zip(out["all"].as_tensor(), case.values(), strict=True):
        torch.testing.assert_close(channel, (given + 0j).expand(1, 3, 4, 5)[0], check_dtype=False)
    assert out["kspace"] is kspace


def test_mask_comes_to_the_inferer_as_the_mask() -> None:
    kspace, guide = torch.randn(1, 3, 4, 5, dtype=torch.complex64), torch.rand(1, 3, 4, 5)
    case = {"image": MetaTensor(kspace), "guide": MetaTensor(guide), "sampled": torch.arange(5).ne(2)}
    together = ConcatInputsd(["image", "guide", "sampled"])(case)["image"]

    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask, kspace, auxiliary)

    expected = torch.where(case["sampled"], kspace, guide).abs()
    torch.testing.assert_close(SliceBatchInferer()(together[None], network)[0].as_tensor(), expected)

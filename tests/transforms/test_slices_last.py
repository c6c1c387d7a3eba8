"""Tests of transforms.slices_last."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from mri_attention.transforms import SlicesLast, SlicesLastd
from tests.helpers import features


def grid(*sizes: float) -> torch.Tensor:
    return torch.diag(torch.tensor([*sizes, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_inverse_gives_back_values_and_affine(axis: int) -> None:
    image = MetaTensor(features(2, 3, 4, 5), affine=grid(1, 2, 3))
    transform = SlicesLast(axis)
    moved = transform(image)
    assert moved.shape[-1] == image.shape[1 + axis]
    back = transform.inverse(moved)
    torch.testing.assert_close(back.as_tensor(), image.as_tensor())
    torch.testing.assert_close(back.affine, image.affine)


def test_voxels_keep_their_place_in_the_world() -> None:
    image = MetaTensor(features(1, 3, 4, 5), affine=grid(1, 2, 3))
    moved = SlicesLast(0)(image)
    assert moved[0, 3, 4, 2] == image[0, 2, 3, 4]
    torch.testing.assert_close(
        moved.affine @ moved.affine.new_tensor([3, 4, 2, 1]), image.affine @ image.affine.new_tensor([2, 3, 4, 1])
    )


def test_dictionary_form_moves_all_keys_alike_and_back() -> None:
    data = {key: MetaTensor(features(1, 3, 4, 5), affine=grid(3, 1, 1)) for key in ("a", "b")}
    transform = SlicesLastd(("a", "b", "c"), allow_missing_keys=True)
    moved = transform(data)
    assert moved["a"].shape == moved["b"].shape == (1, 4, 5, 3)
    assert transform.inverse(moved)["b"].shape == (1, 3, 4, 5)


def test_rejects_other_axes() -> None:
    with pytest.raises(ValueError, match="axis must be 0, 1, 2 or None"):
        SlicesLast(3)

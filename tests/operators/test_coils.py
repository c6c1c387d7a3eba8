"""Tests of operators.coil_combination, and of its transform."""

from __future__ import annotations

import pytest
import torch
from monai.apps.reconstruction.mri_utils import root_sum_of_squares
from torch import Tensor

from mri_attention.operators import combine_coils, image_to_kspace, zero_filled_image
from mri_attention.transforms import ZeroFilledd


def complex_noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


def test_without_maps_equals_monais_root_sum_of_squares() -> None:
    images = complex_noise(4, 6, 5)
    found = combine_coils(images)
    assert found.shape == (1, 6, 5)
    torch.testing.assert_close(found[0], torch.as_tensor(root_sum_of_squares(images.abs(), 0)))


def test_right_maps_recover_the_image_and_are_zero_where_no_coil_sees() -> None:
    image, maps = complex_noise(1, 6, 5), complex_noise(4, 6, 5, seed=1)
    maps[:, 0] = 0
    found = combine_coils(maps * image, maps)
    torch.testing.assert_close(found[:, 1:], image[:, 1:])
    assert not found[:, 0].any()


def test_volumes_with_coils_on_another_axis() -> None:
    images = complex_noise(3, 4, 6, 5)
    torch.testing.assert_close(combine_coils(images, coil_axis=1)[:, 0], images.abs().square().sum(1).sqrt())


def test_zero_filled_image_of_full_kspace_is_the_magnitude() -> None:
    image, maps = complex_noise(1, 6, 5), complex_noise(4, 6, 5, seed=1)
    torch.testing.assert_close(zero_filled_image(image_to_kspace(image)), image.abs())
    torch.testing.assert_close(zero_filled_image(image_to_kspace(maps * image), maps), image.abs())
    volume = complex_noise(1, 6, 5, 3)
    torch.testing.assert_close(zero_filled_image(image_to_kspace(volume, (1, 2)), axes=(1, 2)), volume.abs())


def test_dictionary_version_takes_maps_from_their_key() -> None:
    image, maps = complex_noise(1, 6, 5), complex_noise(4, 6, 5, seed=1)
    data = {"kspace": image_to_kspace(maps * image), "maps": maps}
    out = ZeroFilledd("kspace", "zero_filled", "maps")(data)
    torch.testing.assert_close(out["zero_filled"], image.abs())
    torch.testing.assert_close(ZeroFilledd("kspace")(data)["kspace"], combine_coils(maps * image))


def test_rejects_maps_of_other_coils() -> None:
    with pytest.raises(ValueError, match=r"coil_maps must be of as many coils as images, got shapes \(3, 4, 4\)"):
        combine_coils(complex_noise(2, 4, 4), complex_noise(3, 4, 4))


def test_rejects_keys_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="output_keys must be as many as keys"):
        ZeroFilledd(["a", "b"], "c")

"""Tests of datasets.kspace_pixels."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError, Kspace
from mri_attention.datasets.kspace_pixels import with_reconstructed_pixels
from mri_attention.operators import image_to_kspace, kspace_to_image


def phantom(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gaussians at places (mm), so smooth that few samples hold them."""
    blobs = [(1.0, 2, -3), (0.7, -5, 4), (0.5, 6, 5)]
    return sum(a * np.exp(-((x - p) ** 2 + (y - q) ** 2) / 8) for a, p, q in blobs)


def image(sizes: tuple[int, int], pixels: tuple[float, float]) -> np.ndarray:
    y, x = ((np.arange(n) - n // 2) * d for n, d in zip(sizes, pixels, strict=True))
    return phantom(x[None, :], y[:, None])


def measured(sizes: tuple[int, int], lengths: tuple[float, float], **attributes: Any) -> Kspace:
    pixels = tuple(length / n for length, n in zip(lengths, sizes, strict=True))
    data = image_to_kspace(torch.from_numpy(image(sizes, pixels)[None, None])).numpy().astype(np.complex64)
    return Kspace(data, np.ones((1, 1, 1, sizes[1]), bool), attributes)


def center(array: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    starts = [n // 2 - m // 2 for n, m in zip(array.shape, sizes, strict=True)]
    return array[starts[0] : starts[0] + sizes[0], starts[1] : starts[1] + sizes[1]]


@pytest.mark.parametrize(
    ("sizes", "lengths", "matrix", "pixels"),
    [
        ((64, 32), (64.0, 32.0), (32, 32), (1.0, 1.0)),  # oversampled readout
        ((64, 48), (64.0, 48.0), (32, 32), (1.0, 1.0)),  # and phase
        ((32, 32), (64.0, 32.0), (32, 32), (1.0, 1.0)),  # a field of view twice as large at the same matrix
        ((24, 24), (32.0, 32.0), (32, 32), (1.0, 1.0)),  # interpolated
        ((48, 27), (64.0, 36.0), (33, 31), (1.0, 1.0)),  # all of it, odd sizes
        ((64, 64), (32.0, 32.0), (32, 32), (1.0, 1.0)),  # finer than it is reconstructed
    ],
)
def test_center_of_the_image_has_the_pixels_that_the_header_tells(
    sizes: tuple[int, int], lengths: tuple[float, float], matrix: tuple[int, int], pixels: tuple[float, float]
) -> None:
    kspace = measured(sizes, lengths, recon_matrix=matrix, voxel_size=(*pixels, 3.0), encoded_field_of_view=lengths)
    filled = with_reconstructed_pixels("a.h5", kspace)
    found = center(kspace_to_image(torch.from_numpy(filled.data))[0, 0].numpy(), matrix)
    np.testing.assert_allclose(found.real, image(matrix, pixels), atol=0.02)
    assert filled.mask.all()


@pytest.mark.parametrize("length", [32.0, 32.9, 31.1])
def test_what_has_the_pixels_already_is_left_alone(length: float) -> None:
    lengths = (64.0, length)
    told = {"recon_matrix": (32, 32), "voxel_size": (1.0, 1.0, 3.0), "encoded_field_of_view": lengths}
    kspace = measured((64, 32), lengths, **told)
    assert with_reconstructed_pixels("a.h5", kspace) is kspace
    assert with_reconstructed_pixels("a.h5", kspace_without := measured((64, 32), lengths)) is kspace_without


def test_larger_matrix_without_field_of_view_is_interpolation() -> None:
    kspace = measured((24, 24), (32.0, 32.0), recon_matrix=(32, 20))
    assert with_reconstructed_pixels("a.h5", kspace).data.shape == (1, 1, 32, 24)


def test_what_was_not_sampled_stays_so() -> None:
    kspace = measured((24, 24), (32.0, 32.0), recon_matrix=(32, 32))
    mask = np.arange(24)[None, None, None] % 3 == 0
    filled = with_reconstructed_pixels("a.h5", Kspace(kspace.data * mask, mask, kspace.attributes))
    np.testing.assert_array_equal(filled.mask[0, 0, 4:28, 4:28], np.broadcast_to(mask[0, 0], (24, 24)))
    assert filled.mask[..., :4, :].all()
    assert not filled.data[..., :4, :].any()


def test_pixels_that_do_not_fit_are_told(caplog: pytest.LogCaptureFixture) -> None:
    told = {"recon_matrix": (32, 32), "voxel_size": (1.0, 1.0, 3.0), "encoded_field_of_view": (40.4, 32.0)}
    with caplog.at_level(logging.WARNING):
        filled = with_reconstructed_pixels("a.h5", measured((32, 32), (40.4, 32.0), **told))
    assert filled.data.shape == (1, 1, 40, 32)
    assert "pixels of 1.01 x 1 mm, not 1 x 1 mm as its header tells" in caplog.text


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_fields_of_view_of_different_units_are_refused(factor: float) -> None:
    lengths = (64.0 * factor, 32.0 * factor)
    told = {"recon_matrix": (32, 32), "voxel_size": (1.0, 1.0, 3.0), "encoded_field_of_view": lengths}
    with pytest.raises(InputError, match=r"a field of view of .* mm in k-space and pixels of 1 x 1 mm; check"):
        with_reconstructed_pixels("a.h5", measured((64, 32), (64.0, 32.0), **told))

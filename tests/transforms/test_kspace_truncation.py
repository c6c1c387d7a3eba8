"""Tests of transforms.kspace_truncation."""

from __future__ import annotations

import itertools

import pytest
import torch
from monai.data import MetaTensor

from mri_attention.operators import (
    Truncation,
    coarse_size,
    first_voxel_affine,
    image_to_kspace,
    kspace_to_image,
    low_resolution_of,
    truncate_kspace,
    zero_fill_kspace,
)
from mri_attention.transforms import TruncateKspace, TruncateKspaced
from tests.helpers import assert_adjoint, assert_linear, features

OBLIQUE = torch.tensor(
    [[0.0, -1.5, 0.2, 10], [0.8, 0.1, 0.0, -20], [0.1, 0.0, 2.0, 30], [0, 0, 0, 1]], dtype=torch.float64
)
SIZES = [((12, 16), (6, 8)), ((12, 16), (3, 4)), ((13, 15), (6, 7)), ((9, 14), (3, 7)), ((7, 8, 9), (3, 4, 9))]
DTYPES = [torch.float64, torch.complex128]


def pair(full: tuple[int, ...], size: tuple[int, ...], dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(2, *shape, dtype=dtype, generator=generator) for shape in (full, size))  # type: ignore[return-value]


@pytest.mark.parametrize(("sizes", "dtype"), list(itertools.product(SIZES, DTYPES)))
def test_zero_filling_is_the_adjoint_but_for_intensity(
    sizes: tuple[tuple[int, ...], tuple[int, ...]], dtype: torch.dtype
) -> None:
    full, size = sizes
    x, y = pair(full, size, dtype)
    share = torch.tensor(size).prod() / torch.tensor(full).prod()
    assert_adjoint(lambda t: truncate_kspace(t, size), lambda t: share * zero_fill_kspace(t, full), x, y)
    assert_linear(lambda t: truncate_kspace(t, size), x, x.flip(0))


@pytest.mark.parametrize(("sizes", "dtype"), list(itertools.product(SIZES, DTYPES)))
def test_truncation_has_a_right_inverse(sizes: tuple[tuple[int, ...], tuple[int, ...]], dtype: torch.dtype) -> None:
    full, size = sizes
    _, y = pair(full, size, dtype)
    torch.testing.assert_close(truncate_kspace(Truncation(full, size).pseudo_inverse(y), size), y)
    torch.testing.assert_close(low_resolution_of(zero_fill_kspace(y, full), size), y)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("n", [4, 5])
def test_zero_filling_goes_through_every_voxel(n: int, factor: int) -> None:
    low = features(1, n, n, dtype=torch.float64)
    fine = zero_fill_kspace(low, (factor * n, factor * n))
    torch.testing.assert_close(fine[:, ::factor, ::factor], low)


def test_equals_the_centered_transform_of_the_authors_with_even_sizes() -> None:
    """They crop centered orthonormal k-space, which leaves the image ``scale`` times brighter in 2D."""
    image = torch.randn(1, 16, 24, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    theirs = kspace_to_image(image_to_kspace(image)[:, 4:12, 6:18])
    torch.testing.assert_close(truncate_kspace(image, (8, 12), keep_intensity=False), theirs)
    torch.testing.assert_close(2 * truncate_kspace(image, (8, 12)), theirs)


@pytest.mark.parametrize("shape", [(8, 9), (7, 8, 9)])
def test_keeps_the_intensity_of_a_constant(shape: tuple[int, ...]) -> None:
    constant = torch.full((1, *shape), 3.0)
    low = TruncateKspace(2)(constant)
    torch.testing.assert_close(low, torch.full_like(low, 3.0))
    factor = (torch.tensor(shape).prod() / low.numel()) ** 0.5
    brighter = TruncateKspace(2, keep_intensity=False)(constant)
    torch.testing.assert_close(brighter, torch.full_like(low, float(3.0 * factor)))


@pytest.mark.parametrize(("factor", "shape"), [(2, (64, 64, 64)), (4, (64, 64, 64)), ((2, 4, 1), (63, 65, 64))])
def test_a_blob_keeps_its_place_in_the_world(factor: float | tuple[float, ...], shape: tuple[int, ...]) -> None:
    offsets = [torch.arange(n, dtype=torch.float64) - c for n, c in zip(shape, (29.3, 33.1, 31.7), strict=True)]
    squares = [offset**2 for offset in offsets]
    blob = torch.exp(-(squares[0][:, None, None] + squares[1][:, None] + squares[2]) / (2 * 5.0**2))[None]
    low = TruncateKspace(factor, magnitude=False)(MetaTensor(blob, affine=OBLIQUE))
    assert isinstance(low, MetaTensor)
    assert (world_center(low.as_tensor(), low.affine) - world_center(blob, OBLIQUE)).norm() < 0.01


def world_center(image: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Center of mass in mm."""
    grid = torch.stack(torch.meshgrid(*(torch.arange(n) for n in image.shape[1:]), indexing="ij"), -1).to(image)
    voxel = (grid * image[0, ..., None]).sum((0, 1, 2)) / image.sum()
    return affine[:3, :3] @ voxel + affine[:3, 3]


def test_both_grids_share_their_first_voxel() -> None:
    coarse = first_voxel_affine(OBLIQUE, (2, 4, 1))
    torch.testing.assert_close(coarse[:, 3], OBLIQUE[:, 3])
    torch.testing.assert_close(coarse[:, :3], OBLIQUE[:, :3] * torch.tensor([2.0, 4.0, 1.0]))
    torch.testing.assert_close(first_voxel_affine(coarse, (0.5, 0.25, 1)), OBLIQUE)


def test_odd_sizes_lose_the_rest_and_say_so_in_the_affine() -> None:
    low = TruncateKspace((2, 2, 1))(MetaTensor(features(1, 9, 11, 5), affine=torch.eye(4)))
    assert isinstance(low, MetaTensor)
    assert low.shape == (1, 4, 5, 5)
    torch.testing.assert_close(low.affine.diagonal(), torch.tensor([9 / 4, 11 / 5, 1, 1], dtype=torch.float64))


def test_complex_images_give_magnitudes_or_stay_complex() -> None:
    image = torch.randn(1, 8, 8, dtype=torch.complex64)
    whole = TruncateKspace(2, magnitude=False)(image)
    assert whole.is_complex()
    torch.testing.assert_close(TruncateKspace(2)(image), whole.abs())


def test_dictionary_form_keeps_its_input() -> None:
    image = MetaTensor(features(1, 8, 8, 4), affine=torch.eye(4), meta={"name": "T2w"})
    out = TruncateKspaced("image", "low", factor=(2, 2, 1))({"image": image, "other": 1})
    assert (out["image"].shape, out["low"].shape, out["other"]) == ((1, 8, 8, 4), (1, 4, 4, 4), 1)
    assert out["low"].meta["name"] == "T2w"


def test_size_is_the_largest_within_the_factor() -> None:
    assert coarse_size((9, 8, 3), (2, 1.5, 4)) == (4, 5, 1)


@pytest.mark.parametrize("factor", [0.5, (2, 0.9)])
def test_rejects_factors_below_one(factor: float | tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="factor must not be below 1"):
        TruncateKspace(factor)


def test_rejects_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="size must be at most"):
        truncate_kspace(torch.zeros(1, 4, 4), (5, 4))
    with pytest.raises(ValueError, match="size must be at least"):
        zero_fill_kspace(torch.zeros(1, 4, 4), (4, 3))
    with pytest.raises(ValueError, match="output_keys must be as many"):
        TruncateKspaced(["a", "b"], "low")

"""Tests of transforms.resampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.interpolate import CubicHermiteSpline
from torch.nn import functional as F  # noqa: N812

from mri_attention.operators import resample_cubic, resample_deconvolved, resample_spline
from tests.helpers import assert_linear, features

SHAPES = [((9, 8, 7), (18, 16, 14)), ((10, 8), (5, 4)), ((9, 7, 11), (3, 5, 4)), ((1, 3, 5), (2, 6, 10))]
RESAMPLE = [resample_cubic, resample_spline]


@pytest.mark.parametrize(("shape", "size"), SHAPES, ids=str)
def test_spline_equals_scipys_zoom(shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    x = features(1, 1, *shape, dtype=torch.float64)
    zoom = [n / m for n, m in zip(size, shape, strict=True)]
    expected = ndimage.zoom(x[0, 0].numpy(), zoom, order=3, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(resample_spline(x, size)[0, 0], expected, atol=1e-12)


def test_cubic_is_the_hermite_spline_of_central_differences() -> None:
    """Keys' kernel of a = -1/2, in closed form, where its four samples are within the image."""
    x = features(1, 1, 12, dtype=torch.float64)[0, 0]
    slopes = np.gradient(x.numpy())
    places = (np.arange(30) + 0.5) * 12 / 30 - 0.5
    expected = CubicHermiteSpline(np.arange(12), x.numpy(), slopes)(places)
    inside = (places >= 1) & (places <= 10)
    np.testing.assert_allclose(resample_cubic(x[None], (30,))[0][inside], expected[inside], atol=1e-12)


def test_antialiased_cubic_equals_torchs_inside() -> None:
    """Torch has it in 2D, with a kernel cut at the border instead of repeated voxels."""
    x = features(2, 3, 24, 18, dtype=torch.float64)
    expected = F.interpolate(x, (12, 6), mode="bicubic", antialias=True)
    ours = resample_cubic(x, (12, 6), antialias=True)
    torch.testing.assert_close(ours[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2])


@pytest.mark.parametrize("antialias", [False, True])
def test_antialias_matters_only_where_voxels_are_left_out(antialias: bool) -> None:
    x = features(1, 1, 6, 6, 6)
    up, down = (
        torch.equal(resample_cubic(x, [n] * 3, antialias=antialias), resample_cubic(x, [n] * 3)) for n in (9, 3)
    )
    assert up
    assert down is not antialias


@pytest.mark.parametrize(("shape", "size"), SHAPES, ids=str)
@pytest.mark.parametrize("resample", RESAMPLE)
def test_constants_stay_and_a_mirrored_image_gives_the_mirrored_result(
    resample: object, shape: tuple[int, ...], size: tuple[int, ...]
) -> None:
    assert callable(resample)
    axes = tuple(range(-len(shape), 0))
    torch.testing.assert_close(resample(torch.full((1, 2, *shape), 3.0), size), torch.full((1, 2, *size), 3.0))
    x = features(1, 2, *shape, dtype=torch.float64)
    torch.testing.assert_close(resample(x.flip(axes), size), resample(x, size).flip(axes))


@pytest.mark.parametrize("resample", RESAMPLE)
def test_is_linear_and_differentiable(resample: object) -> None:
    assert callable(resample)
    x, y = features(2, 1, 5, 4, 3, dtype=torch.float64), features(2, 1, 5, 4, 3, dtype=torch.float64).flip(0)
    assert_linear(lambda image: resample(image, (4, 8, 6)), x, y)
    assert torch.autograd.gradcheck(lambda image: resample(image, (4, 8, 6)), x[:1].requires_grad_())


def test_a_step_starts_at_the_edge_of_the_first_voxel() -> None:
    ramp = torch.arange(26, dtype=torch.float64)
    torch.testing.assert_close(resample_cubic(ramp, (8,), step=3.0), 3 * torch.arange(8, dtype=torch.float64) + 1)


def test_keeps_dtype_and_precision_under_autocast() -> None:
    x = features(1, 1, 4, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(resample_cubic(x, (8, 8, 8)), resample_cubic(x, (8, 8, 8)), rtol=0, atol=0)
    assert resample_cubic(x.bfloat16(), (8, 8, 8)).dtype == torch.bfloat16


@pytest.mark.parametrize("size", [(0, 2), (2, 2, 2)])
def test_rejects_other_sizes(size: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="size must have positive numbers"):
        resample_cubic(torch.zeros(3, 3), size)


def test_deconvolution_refuses_sizes_that_are_no_multiples() -> None:
    with pytest.raises(ValueError, match="size must be multiples of"):
        resample_deconvolved(torch.zeros(1, 4, 4), (8, 7))
    image = torch.rand(1, 4, 5)
    torch.testing.assert_close(resample_deconvolved(image, (4, 5)), image)


def test_deconvolution_keeps_constants_and_mirrors() -> None:
    torch.testing.assert_close(resample_deconvolved(torch.full((1, 7, 5), 3.0), (14, 15)), torch.full((1, 14, 15), 3.0))
    x = features(1, 1, 7, 6, dtype=torch.float64)
    flipped = resample_deconvolved(x.flip((2, 3)), (14, 12))
    torch.testing.assert_close(flipped, resample_deconvolved(x, (14, 12)).flip((2, 3)))

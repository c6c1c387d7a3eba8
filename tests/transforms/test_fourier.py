"""Tests of transforms.fourier."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from monai.data import MetaTensor
from monai.networks.blocks.fft_utils_t import fftn_centered_t, ifftn_centered_t
from torch import Tensor

from mri_attention.operators import image_to_kspace, kspace_to_image
from mri_attention.transforms import FourierTransform, FourierTransformd
from tests.helpers import assert_adjoint, assert_linear

SHAPES = [(2, 8, 6), (2, 7, 5), (1, 6, 5, 4)]


def complex_noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axes", [(-2, -1), (1,), (1, 2)])
def test_is_linear_and_unitary(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x, y = complex_noise(*shape), complex_noise(*shape, seed=1)
    assert_linear(lambda t: image_to_kspace(t, axes), x, y)
    assert_adjoint(lambda t: image_to_kspace(t, axes), lambda t: kspace_to_image(t, axes), x, y)
    torch.testing.assert_close(kspace_to_image(image_to_kspace(x, axes), axes), x)
    torch.testing.assert_close(image_to_kspace(x, axes).norm(), x.norm())


@pytest.mark.parametrize("n", [8, 7])
def test_equals_its_definition(n: int) -> None:
    place = torch.arange(n, dtype=torch.float64) - n // 2
    matrix = torch.exp(-2j * math.pi * place[:, None] * place / n) / n**0.5
    x = complex_noise(3, n)
    torch.testing.assert_close(image_to_kspace(x, (-1,)), x @ matrix)


@pytest.mark.parametrize("shape", [(2, 8, 6), (2, 7, 5)])
def test_equals_monai(shape: tuple[int, ...]) -> None:
    x = complex_noise(*shape)
    expected = torch.view_as_complex(fftn_centered_t(torch.view_as_real(x), 2))
    torch.testing.assert_close(image_to_kspace(x), expected)
    expected = torch.view_as_complex(ifftn_centered_t(torch.view_as_real(x), 2))
    torch.testing.assert_close(kspace_to_image(x), expected)


def test_a_constant_is_in_the_center_of_kspace() -> None:
    kspace = image_to_kspace(torch.ones(1, 7, 6))
    assert kspace[0, 3, 3].real.item() == pytest.approx(42**0.5)
    assert kspace.abs().sum().item() == pytest.approx(42**0.5, rel=1e-5)


def test_transform_keeps_the_affine_and_goes_both_ways() -> None:
    image = MetaTensor(complex_noise(1, 6, 5, 4), affine=torch.diag(torch.tensor([1.0, 2, 3, 1])))
    kspace = FourierTransform((1, 2))(image)
    torch.testing.assert_close(kspace.affine, image.affine)
    torch.testing.assert_close(kspace.as_tensor(), image_to_kspace(image.as_tensor(), (1, 2)))
    torch.testing.assert_close(FourierTransform((1, 2), inverse=True)(kspace).as_tensor(), image.as_tensor())


def test_dictionary_version() -> None:
    x = complex_noise(1, 4, 4)
    out = FourierTransformd(["a", "b"], ["ka", "kb"])({"a": x, "b": 2 * x})
    torch.testing.assert_close(out["kb"], 2 * image_to_kspace(x))
    torch.testing.assert_close(out["a"], x)
    torch.testing.assert_close(FourierTransformd("a", inverse=True)({"a": x})["a"], kspace_to_image(x))


def test_rejects_keys_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="output_keys must be as many as keys"):
        FourierTransformd(["a", "b"], "c")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transform", [image_to_kspace, kspace_to_image])
def test_exports_cut_in_the_place_of_shifts(
    transform: Callable[[Tensor], Tensor], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    x = complex_noise(*shape)
    expected = transform(x)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    torch.testing.assert_close(transform(x), expected, rtol=0, atol=0)

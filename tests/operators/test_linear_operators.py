"""What every linear operator satisfies; a new one is tested by being in the list."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from mri_attention.operators import (
    Coils,
    Diagonal,
    DipoleConvolution,
    Fourier,
    Gradient,
    Identity,
    LinearOperator,
    Map,
    Resampling,
    Sampling,
    Truncation,
    Undersampling,
    volume_gradient,
)
from mri_attention.operators.gradient import gradient_power
from mri_attention.operators.resampling import deconvolution_matrix, keys_matrix, spline_matrix
from tests.helpers import assert_adjoint, assert_linear

C, R = torch.complex128, torch.float64


def noise(*shape: int, dtype: torch.dtype = C, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


MASK = noise(1, 7, 6, dtype=R) > 0
MAPS, MATRIX = noise(3, 7, 6, seed=1), noise(4, 5, seed=2)
SIZES = torch.tensor([[1.0, 1.2, 2.0], [1.0, 1.0, 3.0]], dtype=R)


def dipole(padding: float, kernel: str = "kspace") -> DipoleConvolution:
    return DipoleConvolution((8, 7, 6), (1.0, 1.5, 3.0), (0.3, -0.5, 0.8), padding, kernel, dtype=R)


class Case(NamedTuple):
    """An operator, the shape and type of what it takes, and whether ``A.H A = 1``."""

    operator: LinearOperator
    shape: tuple[int, ...] = (1, 7, 6)
    dtype: torch.dtype = C
    is_unitary: bool = False


CASES = {
    "identity": Case(Identity(), is_unitary=True),
    "diagonal": Case(Diagonal(MAPS), (3, 7, 6)),
    "phases": Case(Diagonal(MAPS / MAPS.abs()), (3, 7, 6), is_unitary=True),
    "sampling": Case(Sampling(MASK), (2, 7, 6)),
    "matrix": Case(Map(lambda x: x @ MATRIX, lambda y: y @ MATRIX.mH), (3, 4)),
    "fourier": Case(Fourier(), (2, 7, 6), is_unitary=True),
    "fourier of one axis": Case(Fourier((1,)), (2, 8, 5, 3), is_unitary=True),
    "fourier of a volume": Case(Fourier((1, 2, 3)), (2, 8, 5, 3), is_unitary=True),
    "undersampling": Case(Undersampling(MASK), (2, 7, 6)),
    "undersampling of columns": Case(Undersampling(MASK[:, :1]), (2, 7, 6)),
    "coils": Case(Coils(MAPS)),
    "coils on another axis": Case(Coils(MAPS[None], 1), (2, 1, 7, 6)),
    "scan": Case(Sampling(MASK) @ Fourier() @ Coils(MAPS)),
    "sum": Case(Fourier() + 2j * Diagonal(MAPS[:1])),
    "multiple": Case((0.5 - 2j) * Fourier()),
    "periodic dipole": Case(dipole(1.0), (2, 1, 8, 7, 6), R),
    "padded dipole": Case(dipole(1.3), (2, 1, 8, 7, 6), R),
    "cuboid dipole": Case(dipole(2.0, "image"), (2, 1, 8, 7, 6), R),
    "gradient": Case(Gradient((-2, -1)), (2, 7, 6)),
    "gradient per mm": Case(volume_gradient(SIZES), (2, 1, 8, 7, 6), R),
    "truncation": Case(Truncation((12, 15), (6, 7)), (2, 12, 15)),
    "truncation of real images": Case(Truncation((7, 8, 9), (3, 4, 9)), (2, 7, 8, 9), R),
    "cubic": Case(Resampling([keys_matrix(7, 14, 0.5), keys_matrix(6, 4, 1.5, antialias=True)]), (2, 7, 6), R),
    "spline": Case(Resampling([spline_matrix(6, 9)]), (2, 7, 6)),
    "deconvolution": Case(Resampling([deconvolution_matrix(7, 2), deconvolution_matrix(6, 1)]), (2, 7, 6), R),
}

every_operator = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_operator
def test_is_linear_and_has_its_adjoint(case: Case) -> None:
    a, x, other = case.operator, noise(*case.shape, dtype=case.dtype), noise(*case.shape, dtype=case.dtype, seed=3)
    y = noise(*a(x).shape, dtype=case.dtype, seed=4)
    assert_linear(a, x, other)
    assert_linear(a.H, y, y.flip(-1))
    assert_adjoint(a, a.H, x, y)
    torch.testing.assert_close(a.H.H(x), a(x))


@every_operator
def test_gram_is_adjoint_times_operator(case: Case) -> None:
    x = noise(*case.shape, dtype=case.dtype)
    normal = case.operator.H(case.operator(x))
    torch.testing.assert_close(case.operator.gram(x), normal)
    assert torch.allclose(normal, x) is case.is_unitary


def test_product_sum_and_multiple_are_those_of_matrices() -> None:
    a, b, x = noise(4, 4, seed=1), noise(4, 4, seed=2), noise(4, 1)
    left, right = (Map(lambda v, m=m: m @ v, lambda v, m=m: m.mH @ v) for m in (a, b))
    torch.testing.assert_close((left @ right + 2j * left)(x), (a @ b + 2j * a) @ x)
    torch.testing.assert_close((left @ right + 2j * left).H(x), (a @ b + 2j * a).mH @ x)


def test_undersampling_is_sampling_of_a_transform() -> None:
    x = noise(2, 7, 6)
    torch.testing.assert_close(Undersampling(MASK)(x), (Sampling(MASK) @ Fourier())(x))


def test_gradient_is_that_of_neighbors() -> None:
    differences = Gradient((-2, -1), torch.tensor([2.0, 0.5])[:, None, None])(torch.tensor([[0.0, 1.0], [4.0, 9.0]]))
    assert differences.tolist() == [[[2.0, 4.0], [-2.0, -4.0]], [[2.0, -2.0], [10.0, -10.0]]]


def test_gradient_power_is_the_spectrum_of_its_gram() -> None:
    x = noise(2, 1, 8, 7, 6, dtype=R)
    spectrum = torch.fft.fftn(x, dim=(-3, -2, -1)) * gradient_power((8, 7, 6), SIZES)
    expected = torch.fft.ifftn(spectrum, dim=(-3, -2, -1)).real
    torch.testing.assert_close(volume_gradient(SIZES).gram(x), expected)

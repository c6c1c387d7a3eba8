"""Tests of operators.conjugate_gradient against the solutions of matrices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.operators import Coils, Fourier, Identity, Map, Sampling, conjugate_gradient

MATRIX = torch.randn(9, 6, generator=torch.Generator().manual_seed(0), dtype=torch.complex128)
DATA = torch.randn(2, 9, 1, generator=torch.Generator().manual_seed(1), dtype=torch.complex128)
OPERATOR = Map(lambda x: MATRIX @ x, lambda y: MATRIX.mH @ y)


def exact(data: Tensor, damping: float) -> Tensor:
    return torch.linalg.solve(MATRIX.mH @ MATRIX + damping * torch.eye(6), MATRIX.mH @ data)


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_solves_least_squares_in_as_many_steps_as_unknowns(damping: float) -> None:
    found = conjugate_gradient(OPERATOR, DATA, 6, damping=damping, tolerance=0)
    torch.testing.assert_close(found, exact(DATA, damping))
    early = conjugate_gradient(OPERATOR, DATA, 3, damping=damping, tolerance=0)
    assert (early - found).norm() > 1e-3 * found.norm()


def test_items_of_a_batch_do_not_see_each_other() -> None:
    both = conjugate_gradient(OPERATOR, DATA * torch.tensor([1, 1e6])[:, None, None], 4)
    torch.testing.assert_close(both[:1], conjugate_gradient(OPERATOR, DATA[:1], 4))


def test_stops_at_the_tolerance() -> None:
    applied = []
    counted = Map(lambda x: applied.append(x) or OPERATOR(x), OPERATOR.adjoint)
    conjugate_gradient(counted, DATA, 100, tolerance=1e-6)
    assert len(applied) <= 7


def test_data_of_zeros_have_a_solution_of_zeros() -> None:
    assert not conjugate_gradient(Identity(), torch.zeros(2, 3), tolerance=0).any()


def test_reconstructs_an_image_from_undersampled_coils() -> None:
    generator = torch.Generator().manual_seed(2)
    image, maps = (torch.randn(1, n, 12, 10, generator=generator, dtype=torch.complex128) for n in (1, 4))
    mask = torch.zeros(1, 1, 12, 10, dtype=torch.bool)
    mask[..., ::2] = True
    scan = Sampling(mask) @ Fourier() @ Coils(maps, coil_axis=1)
    found = conjugate_gradient(scan, scan(image), 200, tolerance=1e-12)
    torch.testing.assert_close(found, image)


def test_rejects_negative_damping() -> None:
    with pytest.raises(ValueError, match="damping must not be negative, got -1"):
        conjugate_gradient(OPERATOR, DATA, damping=-1.0)

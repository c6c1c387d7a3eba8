"""Sums along the diagonals of affinities."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks.diagonal_sums import adjoint_diagonal_sum, diagonal_sum

SKIPS = [(0, 0), (1, 0), (0, 1), (1, 1)]


def affinities() -> Tensor:
    return torch.randn(3, 4, 5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize(("axis", "n"), [(0, 2), (1, 2), (0, 3)])
def test_adds_copies_moved_by_one_query_and_key(axis: int, n: int, skip: tuple[int, int]) -> None:
    weights = affinities()
    total = torch.zeros([size + (n - 1 if place % 2 == axis else 0) for place, size in enumerate(weights.shape)])
    expected = total.to(weights)
    for step in range(n):
        place = [slice(step, step + size) if i % 2 == axis else slice(None) for i, size in enumerate(weights.shape)]
        expected[tuple(place)] += weights
    expected = expected.narrow(axis, skip[0], expected.shape[axis] - skip[0])
    expected = expected.narrow(axis + 2, skip[1], expected.shape[axis + 2] - skip[1])
    torch.testing.assert_close(diagonal_sum(weights, axis, n, skip), expected)


@pytest.mark.parametrize("skip", SKIPS)
def test_adjoint_has_the_same_inner_product(skip: tuple[int, int]) -> None:
    weights = affinities()
    total = diagonal_sum(weights, 1, 2, skip)
    other = torch.randn(total.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    adjoint = adjoint_diagonal_sum(other, 1, 2, skip)
    torch.testing.assert_close((total * other).sum(), (weights * adjoint).sum())


def test_one_copy_is_the_weights_themselves() -> None:
    weights = affinities()
    assert diagonal_sum(weights, 0, 1) is weights
    assert adjoint_diagonal_sum(weights, 0, 1) is weights

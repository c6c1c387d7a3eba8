"""Tests of operators.quantile."""

from __future__ import annotations

import pytest
import torch

from mri_attention.operators.quantile import quantile


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.1, 10), (0.5, 50), (1.0, 100)])
def test_that_share_of_the_values_is_not_above(share: float, expected: int) -> None:
    values = torch.arange(1, 101)[torch.randperm(100, generator=torch.Generator().manual_seed(0))].reshape(4, 5, 5)
    assert quantile(values, share) == expected


def test_one_value_is_every_quantile_of_it() -> None:
    assert quantile(torch.tensor([3.0]), 0.2) == 3

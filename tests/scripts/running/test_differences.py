"""Tests of comparing outputs."""

import pytest
import torch

from mri_attention.scripts.running.differences import largest_difference, require_close


def test_difference_is_relative_to_the_largest_expected_value() -> None:
    assert largest_difference(torch.tensor([1.0, -3.0]), torch.tensor([1.0, -4.0])) == 0.25
    assert largest_difference(torch.zeros(2), torch.zeros(2)) == 0


def test_difference_of_complex_images_is_that_of_their_phase_too() -> None:
    assert largest_difference(torch.tensor([2j]), torch.tensor([-2j])) == 2


@pytest.mark.parametrize(("found", "told"), [(1.01, "a differ by 1.0e-02"), (torch.nan, "a differ by nan")])
def test_larger_differences_are_refused(found: float, told: str) -> None:
    expected = torch.ones(2)
    assert require_close(torch.tensor([1.0, 1.005]), expected, 6e-3, "a") == pytest.approx(5e-3, rel=1e-4)
    with pytest.raises(RuntimeError, match=told):
        require_close(torch.tensor([1.0, found]), expected, 6e-3, "a")

"""Tests of transforms.ppm_check."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mri_attention.datasets import InputError
from mri_attention.operators import units_per_ppm
from mri_attention.transforms import check_is_ppm


def local_field(scale: float = 1.0) -> Tensor:
    """A brain's local field in ppm, within a mask, times a factor."""
    field = 0.02 * torch.randn(1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    field[:, :4] = 0
    return field * scale


@pytest.mark.parametrize("values", [local_field(), local_field(0.3), torch.zeros(1, 4, 4, 4)])
def test_ppm_passes(values: Tensor) -> None:
    check_is_ppm(values)
    check_is_ppm(3 * values, "susceptibility")


def test_a_large_map_with_a_calcification_passes() -> None:
    chi = local_field(3.0)
    chi[0, 8, 8, 8] = -3.3
    check_is_ppm(chi, "susceptibility")


@pytest.mark.parametrize(("unit", "name"), [("hz", "Hz"), ("ppb", "ppb"), ("rad", "rad")])
@pytest.mark.parametrize("b0", [1.5, 3.0, 7.0])
def test_other_units_are_refused_and_named(unit: str, name: str, b0: float) -> None:
    echo_time = 0.025 * 3 / b0  # longer at lower fields, as scanners have it
    with pytest.raises(InputError, match=f"sub-1.nii.gz: .*likely in {name}( or \\w+)?: convert it"):
        check_is_ppm(local_field(units_per_ppm(unit, b0, echo_time)), place="sub-1.nii.gz")


def test_two_units_that_are_as_likely_are_both_named() -> None:
    """Between Hz at 3 T (2.6 of a brain) and ppb (20) lie those at 7 T, which nobody can tell from either."""
    values = torch.linspace(-1, 1, 1000)
    values = values / values.square().mean().sqrt()
    with pytest.raises(InputError, match="likely in Hz or ppb: convert it"):
        check_is_ppm(5.8 * values)
    with pytest.raises(InputError, match="likely in ppb: convert it"):
        check_is_ppm(20 * values)


def test_wrong_susceptibility_is_named() -> None:
    with pytest.raises(InputError, match=r"susceptibility: .* likely in ppb"):
        check_is_ppm(local_field(3000.0), "susceptibility")


@pytest.mark.parametrize(
    ("scale", "remedy"),
    [
        (1e-3, "check `field_unit`"),
        (1 / units_per_ppm("hz", 3.0), "check `field_unit`"),
        (1e-6, "likely a fraction of B0"),
    ],
)
def test_fields_that_are_too_small_are_refused(scale: float, remedy: str) -> None:
    with pytest.raises(InputError, match=f"are too small for a field of a brain in ppm; .*{remedy}"):
        check_is_ppm(local_field(scale))
    check_is_ppm(local_field(scale), "susceptibility")


def test_single_large_values_are_refused() -> None:
    field = local_field()
    field[0, 8, 8, 8] = 6
    with pytest.raises(InputError, match="largest 6"):
        check_is_ppm(field)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_undefined_values_are_refused(value: float) -> None:
    field = local_field()
    field[0, 8, 8, 8] = value
    with pytest.raises(InputError, match="not finite"):
        check_is_ppm(field)

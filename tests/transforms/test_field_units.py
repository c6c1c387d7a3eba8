"""Tests of transforms.field_units."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mri_attention.datasets import InputError
from mri_attention.transforms import ConvertFieldUnit, ConvertFieldUnitd, check_is_ppm, convert_field, units_per_ppm


def local_field(scale: float = 1.0) -> Tensor:
    """A brain's local field in ppm, within a mask, times a factor."""
    field = 0.02 * torch.randn(1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    field[:, :4] = 0
    return field * scale


def test_a_ppm_at_3_tesla_is_128_hz() -> None:
    assert units_per_ppm("hz", 3.0) == pytest.approx(127.732, rel=1e-5)


def test_half_a_turn_takes_half_a_period() -> None:
    hz = convert_field(torch.tensor([25.0]), "hz", "rad", 3.0, 0.02)
    torch.testing.assert_close(hz, torch.tensor([math.pi]))


@pytest.mark.parametrize("source", ["ppm", "ppb", "hz", "rad"])
@pytest.mark.parametrize("target", ["ppm", "ppb", "hz", "rad"])
def test_there_and_back(source: str, target: str) -> None:
    field = local_field().double()
    there = convert_field(field, source, target, 7.0, 0.015)
    torch.testing.assert_close(convert_field(there, target, source, 7.0, 0.015), field)


def test_transforms_convert() -> None:
    field = local_field()
    torch.testing.assert_close(ConvertFieldUnit("hz", b0=3.0)(field), convert_field(field, "hz", "ppm", 3.0))
    out = ConvertFieldUnitd("field", source="ppb")({"field": field, "other": 1})
    torch.testing.assert_close(out["field"], field / 1000)
    assert out["other"] == 1


@pytest.mark.parametrize(
    ("unit", "b0", "echo_time", "message"),
    [
        ("tesla", 3.0, 0.02, "unit must be one of ppm, ppb, hz, rad, got 'tesla'"),
        ("hz", None, None, "hz needs a positive b0, got None"),
        ("rad", 3.0, None, "rad needs a positive echo_time, got None"),
        ("rad", 3.0, 0.0, "rad needs a positive echo_time, got 0.0"),
    ],
)
def test_rejects_units_without_what_they_need(
    unit: str, b0: float | None, echo_time: float | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        units_per_ppm(unit, b0, echo_time)


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
    with pytest.raises(InputError, match=f"sub-1.nii.gz: .*likely in {name}: convert it"):
        check_is_ppm(convert_field(local_field(), "ppm", unit, b0, echo_time), place="sub-1.nii.gz")


def test_wrong_susceptibility_is_named() -> None:
    with pytest.raises(InputError, match=r"susceptibility: .* likely in ppb"):
        check_is_ppm(local_field(3000.0), "susceptibility")


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

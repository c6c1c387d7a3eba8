"""Tests of transforms.field_units."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mri_attention.operators import units_per_ppm
from mri_attention.transforms import ConvertFieldUnit, ConvertFieldUnitd


def local_field(scale: float = 1.0) -> Tensor:
    """A brain's local field in ppm, within a mask, times a factor."""
    field = 0.02 * torch.randn(1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    field[:, :4] = 0
    return field * scale


def test_a_ppm_at_3_tesla_is_128_hz() -> None:
    assert units_per_ppm("hz", 3.0) == pytest.approx(127.732, rel=1e-5)


def test_half_a_turn_takes_half_a_period() -> None:
    hz = ConvertFieldUnit("hz", "rad", 3.0, 0.02)(torch.tensor([25.0]))
    torch.testing.assert_close(hz, torch.tensor([math.pi]))


@pytest.mark.parametrize("source", ["ppm", "ppb", "hz", "rad"])
@pytest.mark.parametrize("target", ["ppm", "ppb", "hz", "rad"])
def test_there_and_back(source: str, target: str) -> None:
    field = local_field().double()
    there = ConvertFieldUnit(source, target, 7.0, 0.015)(field)
    torch.testing.assert_close(ConvertFieldUnit(target, source, 7.0, 0.015)(there), field)


def test_transforms_convert() -> None:
    field = local_field()
    torch.testing.assert_close(ConvertFieldUnit("hz", b0=3.0)(field), field / units_per_ppm("hz", 3.0))
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

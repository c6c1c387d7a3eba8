"""Tests of operators.field_units."""

from __future__ import annotations

import math

import pytest

from mri_attention.operators import units_per_ppm


def test_a_ppm_at_3_tesla_is_128_hz() -> None:
    assert units_per_ppm("hz", 3.0) == pytest.approx(127.732, rel=1e-5)


def test_half_a_turn_takes_half_a_period() -> None:
    hz, rad = units_per_ppm("hz", 3.0), units_per_ppm("rad", 3.0, 0.02)
    assert 25.0 / hz * rad == pytest.approx(math.pi)


def test_a_ppm_is_a_thousand_ppb() -> None:
    assert units_per_ppm("ppb") == 1000 * units_per_ppm("ppm") == 1000


@pytest.mark.parametrize(
    ("unit", "b0", "echo_time", "message"),
    [
        ("tesla", 3.0, 0.02, "unit must be one of ppm, ppb, hz, rad, got 'tesla'"),
        ("hz", None, None, "hz needs b0, which is not told"),
        ("rad", 3.0, None, "rad needs echo_time, which is not told"),
        ("rad", 3.0, 0.0, "rad needs a positive echo_time, got 0.0"),
    ],
)
def test_rejects_units_without_what_they_need(
    unit: str, b0: float | None, echo_time: float | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        units_per_ppm(unit, b0, echo_time)

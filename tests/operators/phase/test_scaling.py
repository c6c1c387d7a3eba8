"""Tests of operators.phase.scaling."""

from __future__ import annotations

import math

import pytest
import torch

from mri_attention.operators.phase import phase_scale


@pytest.mark.parametrize(
    ("low", "high", "value", "radians"),
    [
        (0, 4095, 2048, 0),
        (0, 4095, 3072, math.pi / 2),
        (-4096, 4094, 2048, math.pi / 2),
        (-4096, 4095, -2048, -math.pi / 2),
        (-3142, 3141, 1500, 1.5),
        (-3141.59, 3141.59, -1500, -1.5),
        (-math.pi, math.pi, 1.5, 1.5),
        (-3.1416, 3.1400, -1.5, -1.5),
        (0, 6.283, 5.0, 5 - 2 * math.pi),
        (-180, 180, 90, math.pi / 2),
    ],
)
def test_ranges_tell_the_scale(low: float, high: float, value: float, radians: float) -> None:
    found = phase_scale(low, high)(torch.tensor([float(value)]))
    torch.testing.assert_close(found, torch.tensor([float(radians)]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("low", "high"), [(-0.00367, 0.00367), (0, 1), (-1, 1), (0, 65535), (-5000, 5000), (0, 1200), (-2, 2)]
)
def test_an_unknown_scale_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="in no known scale"):
        phase_scale(low, high)


@pytest.mark.parametrize(
    ("low", "high", "manufacturer", "value", "radians"),
    [
        (400, 3000, "Siemens", 3072, math.pi / 2),
        (-1800, 1900, "SIEMENS Healthineers", 2048, math.pi / 2),
        (-2000, 2100, "GE MEDICAL SYSTEMS", 1500, 1.5),
        (-2, 2, "Philips", 1.5, 1.5),
    ],
)
def test_the_maker_tells_what_a_part_of_the_range_does_not(
    low: float, high: float, manufacturer: str, value: float, radians: float
) -> None:
    found = phase_scale(low, high, manufacturer)(torch.tensor([float(value)]))
    torch.testing.assert_close(found, torch.tensor([radians]), atol=1e-5, rtol=0)


def test_units_of_radians_are_believed_where_they_can_be() -> None:
    assert phase_scale(-1, 2, units="rad").name == "radians"
    assert phase_scale(-20, 35, units="Radians").name == "radians"
    for low, high in [(-4096, 4094), (-0.00367, 0.00367)]:
        with pytest.raises(ValueError, match="are no radians, of which"):
            phase_scale(low, high, units="rad")
    assert phase_scale(0, 4095, units="arbitrary").name == "0 to 4095"


def test_a_stated_range_goes_before_all_else() -> None:
    scale = phase_scale(-0.00367, 0.00367, "Siemens", "rad", [-0.003675, 0.003675])
    torch.testing.assert_close(scale(torch.tensor([0.0018375])), torch.tensor([math.pi / 2]))
    with pytest.raises(ValueError, match="are beyond `phase_range`, 0 to 4096"):
        phase_scale(-1000, 2000, phase_range=[0, 4096])
    with pytest.raises(ValueError, match="must ascend"):
        phase_scale(0, 1, phase_range=[1, 0])

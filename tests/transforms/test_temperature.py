"""Tests of temperature scaling."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri_attention.metrics import tempered
from mri_attention.transforms import DivideByTemperatured, divide_by_temperature


def test_a_temperature_of_1_changes_no_bit() -> None:
    logits = torch.randn(2, 5, 6, 7, generator=torch.manual_seed(0))
    assert torch.equal(DivideByTemperatured("pred")({"pred": logits})["pred"], logits)


@pytest.mark.parametrize("temperature", [0.5, 1.7])
def test_the_softmax_over_it_is_the_tempered_probability(temperature: float) -> None:
    logits = torch.randn(2, 5, 6, 7, generator=torch.manual_seed(0), dtype=torch.float64)
    scaled = DivideByTemperatured("pred", temperature=temperature)({"pred": logits})["pred"].softmax(0)[1]
    np.testing.assert_allclose(scaled, tempered(logits.softmax(0)[1], temperature), rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_other_temperatures_are_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be positive"):
        DivideByTemperatured("pred", temperature=temperature)
    with pytest.raises(ValueError, match="temperature must be positive"):
        divide_by_temperature(torch.zeros(2), temperature)

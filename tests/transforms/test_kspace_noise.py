"""The noise of k-space, given, known or estimated."""

from __future__ import annotations

import logging

import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.transforms import KspaceNoised
from tests.operators.test_kspace_noise import noise

KSPACE = noise(1, 3, 64, 60, sigma=5.0)
MASK = torch.arange(60) % 2 == 0


def told(known: float | str | None, **more: torch.Tensor) -> torch.Tensor:
    out = KspaceNoised("image", known)({"image": KSPACE * MASK, "sampled": MASK, **more})
    assert out["kspace_noise"].shape == (1, 3, 1, 1)
    return out["kspace_noise"][0, 0, 0, 0]


def test_noise_is_estimated_unless_it_is_known(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert told(None).item() == pytest.approx(5, rel=0.05)
    assert "noise of k-space, estimated" in caplog.text
    known = torch.full((1, 3, 1, 1), 0.7)
    assert told(None, kspace_noise=known).item() == pytest.approx(0.7)
    assert told("estimated", kspace_noise=known).item() == pytest.approx(5, rel=0.05)
    assert told(2, kspace_noise=known).item() == 2
    assert told(0.0).item() == 0


def test_noise_that_is_stronger_than_the_samples_is_refused() -> None:
    assert told(9.0).item() == 9
    with pytest.raises(
        InputError, match=r"`kspace_noise`: 11, where the outer samples .* deviation of 5.*; give it in"
    ):
        told(11.0)


@pytest.mark.parametrize("known", [-1, float("inf"), float("nan"), "known", True])
def test_rejects_what_is_no_noise(known: float | str) -> None:
    with pytest.raises(
        InputError, match=r"`kspace_noise`: .* is no noise; give a number from 0 on, estimated, or null"
    ):
        KspaceNoised("image", known)

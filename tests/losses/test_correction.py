"""Tests of the loss of networks that correct a map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.losses import CorrectionLoss, QSMLoss
from tests.helpers import features

TRUTH, START = features(2, 1, 8, 7, 6), features(2, 1, 8, 7, 6).flip(2)


def loss(prediction: Tensor, **options: float) -> float:
    return float(CorrectionLoss(**options)(prediction, torch.cat([TRUTH, START], 1)))


def test_no_correction_has_a_loss_of_one_and_the_truth_of_zero() -> None:
    assert loss(START) == pytest.approx(1)
    assert loss(TRUTH) == pytest.approx(0, abs=1e-5)


def test_half_of_the_way_is_half_of_the_error() -> None:
    assert loss((START + TRUTH) / 2, gradient_weight=0) == pytest.approx(0.5)
    assert loss(2 * START - TRUTH, gradient_weight=0) == pytest.approx(2)


def test_terms_are_the_root_of_the_mean_square_and_the_loss_of_qsmnet() -> None:
    prediction = features(2, 1, 8, 7, 6).flip(3)
    expected = 0.0
    for p, t, s in zip(prediction, TRUTH, START, strict=True):
        squares = (p - t).square().sum().sqrt() / (s - t).square().sum().sqrt()
        qsmnet = QSMLoss(model_weight=0)
        expected += 0.25 * float(squares + qsmnet(p[None], t[None]) / qsmnet(s[None], t[None]))
    assert loss(prediction) == pytest.approx(expected, rel=1e-5)


def test_each_map_counts_the_same_whatever_its_error() -> None:
    """A map with a thousand times the error has the same gradient relative to it."""
    truth = torch.cat([TRUTH[:1], 1000 * TRUTH[:1]])
    start = torch.cat([START[:1], 1000 * START[:1]])
    prediction = (0.3 * truth + 0.7 * start).requires_grad_()
    CorrectionLoss()(prediction, torch.cat([truth, start], 1)).backward()
    assert prediction.grad is not None
    torch.testing.assert_close(prediction.grad[0], 1000 * prediction.grad[1])


def test_a_start_without_error_gives_no_infinite_gradient() -> None:
    prediction = TRUTH.clone().requires_grad_()
    value = CorrectionLoss()(prediction, torch.cat([TRUTH, TRUTH], 1))
    value.backward()
    assert value.isfinite()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        CorrectionLoss(-1)
    with pytest.raises(ValueError, match="the truth and the map that was corrected"):
        CorrectionLoss()(TRUTH, TRUTH)

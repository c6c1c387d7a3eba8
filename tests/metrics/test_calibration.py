"""Tests of reliability, calibration error and temperature against closed forms and MONAI."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.metrics import CalibrationErrorMetric, calibration_binning
from numpy.typing import NDArray
from scipy.special import expit, logit

from mri_attention.metrics import LogitCounts, fit_temperature, reliability, tempered
from mri_attention.metrics.calibration import TEMPERATURES

EACH = 10_000  # voxels of one probability, of which exactly that share is true
SHARES = np.arange(1, 100) / 100


def calibrated() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return probabilities that mean what they say, and the truth."""
    p = np.repeat(SHARES, EACH)
    return p, np.concatenate([np.arange(EACH) < round(share * EACH) for share in SHARES])


def counts_at(scale: float) -> LogitCounts:
    """Return the logits of calibrated probabilities, multiplied."""
    p, y = calibrated()
    return LogitCounts.of(expit(scale * logit(p)), y)


def test_calibrated_probabilities_have_no_error_and_temperature_1() -> None:
    p, y = calibrated()
    assert reliability(p, y).expected_error == pytest.approx(0, abs=1e-9)
    assert fit_temperature([[LogitCounts.of(p, y)]]) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("scale", [0.5, 2.0, 3.0])
def test_logits_times_a_number_have_it_as_temperature(scale: float) -> None:
    assert fit_temperature([[counts_at(scale)]]) == pytest.approx(scale, rel=2e-3)


def test_the_temperature_makes_probabilities_mean_what_they_say() -> None:
    p, y = calibrated()
    sure = expit(2 * logit(p))
    assert reliability(sure, y).expected_error > 0.05
    np.testing.assert_allclose(tempered(sure, 2.0), p, rtol=1e-6)
    assert reliability(tempered(sure, 2.0), y).expected_error == pytest.approx(0, abs=1e-6)


def test_patients_count_equally_whatever_their_size_and_number_of_images() -> None:
    small, large = counts_at(1.0), counts_at(3.0)
    many = LogitCounts(large.logits, 1000 * large.counts, 1000 * large.hits)
    expected = fit_temperature([[small], [large]])
    assert 1.2 < expected < 2.8
    assert fit_temperature([[small], [many]]) == pytest.approx(expected, rel=1e-4)
    assert fit_temperature([[small], [large, many]]) == pytest.approx(expected, rel=1e-4)


def test_the_fit_stays_within_its_range() -> None:
    p = np.full(100, 0.9)
    always = LogitCounts.of(p, np.ones(100))
    never = LogitCounts.of(p, np.zeros(100))
    assert fit_temperature([[always]]) == pytest.approx(TEMPERATURES[0], rel=1e-2)
    assert fit_temperature([[never]]) == pytest.approx(TEMPERATURES[1], rel=1e-2)


def test_bins_and_error_are_those_of_monai() -> None:
    generator = np.random.default_rng(0)
    p = generator.random(4000).astype(np.float32) ** 3
    y = generator.random(4000) < p**2
    tensors = [torch.from_numpy(np.asarray(values, np.float32))[None, None] for values in (p, y)]
    found = reliability(p, y, 15)
    for ours, theirs in zip(
        (found.predicted, found.observed, found.counts), calibration_binning(*tensors, 15), strict=True
    ):
        np.testing.assert_allclose(ours, theirs[0, 0], rtol=1e-4)
    metric = CalibrationErrorMetric(num_bins=15)
    metric(tensors[0], tensors[1])
    assert found.expected_error == pytest.approx(float(metric.aggregate()), rel=1e-4)


def test_the_loss_is_that_of_every_voxel() -> None:
    generator = np.random.default_rng(1)
    p = generator.uniform(0.001, 0.999, 5000)
    y = generator.random(5000) < 0.3
    expected = -np.mean(np.log(np.where(y, tempered(p, 1.7), 1 - tempered(p, 1.7))))
    assert LogitCounts.of(p, y).loss(1.7) == pytest.approx(expected, rel=1e-4)


def test_ends_of_the_range_are_finite() -> None:
    p = np.array([0.0, 1.0], np.float32)
    assert reliability(p, [0, 1]).expected_error == 0
    assert math.isfinite(LogitCounts.of(p, [1, 0]).loss(1.0))
    np.testing.assert_array_equal(tempered(p, 1.0), p)


def test_no_voxels_have_no_error_and_no_temperature() -> None:
    assert math.isnan(reliability([], []).expected_error)
    assert math.isnan(LogitCounts.of([], []).loss(1.0))
    with pytest.raises(ValueError, match="no image has voxels"):
        fit_temperature([[LogitCounts.of([], [])], []])


def test_other_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        reliability([0.5], [[1]])
    with pytest.raises(ValueError, match=r"from 0 to 1, got -0.5 to 2"):
        reliability([-0.5, 2], [1, 0])
    with pytest.raises(ValueError, match="n_bins must be at least 1"):
        reliability([0.5], [1], 0)
    with pytest.raises(ValueError, match="temperature must be positive, got 0"):
        tempered([0.5], 0)

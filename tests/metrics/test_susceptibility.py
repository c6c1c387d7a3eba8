"""Tests of the errors of susceptibility maps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.metrics import (
    RegionErrors,
    SusceptibilityMetrics,
    challenge_psnr,
    challenge_ssim,
    demeaned_error,
    high_frequency_error,
    region_errors,
    root_mean_square_error,
    xsim,
)
from tests.helpers import fixture

FUNCTIONS = {
    "rmse": root_mean_square_error,
    "hfen": high_frequency_error,
    "ssim": challenge_ssim,
    "psnr": challenge_psnr,
    "xsim": xsim,
}


def maps(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A prediction, a truth, and a mask."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.01, 0.05, (14, 13, 12))
    mask = np.zeros(truth.shape, bool)
    mask[2:-2, 2:-2, 2:-2] = True
    return truth + rng.normal(0.02, 0.01, truth.shape), truth, mask


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_the_challenges_own_number(name: str) -> None:
    case = fixture("qsm_metrics_challenge")
    found = FUNCTIONS[name](case["inputs"]["pred"], case["inputs"]["true"])
    assert found == pytest.approx(float(case["outputs"][name]), rel=1e-10)


@pytest.mark.parametrize(("name", "perfect"), [("rmse", 0), ("hfen", 0), ("ssim", 1), ("psnr", math.inf), ("xsim", 1)])
def test_perfect_map(name: str, perfect: float) -> None:
    _, truth, mask = maps()
    assert FUNCTIONS[name](truth, truth, mask) == pytest.approx(perfect, abs=1e-9)


def test_rmse_of_a_map_of_zeros_is_100_percent_and_scales_with_the_error() -> None:
    prediction, truth, mask = maps()
    assert root_mean_square_error(0 * truth, truth, mask) == pytest.approx(100)
    half = root_mean_square_error((prediction + truth) / 2, truth, mask)
    assert root_mean_square_error(prediction, truth, mask) == pytest.approx(2 * half)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_outside_of_the_mask_does_not_count(name: str) -> None:
    prediction, truth, mask = maps()
    other = np.where(mask, prediction, 7.0)
    assert FUNCTIONS[name](other, truth, mask) == pytest.approx(FUNCTIONS[name](prediction, truth, mask))


@pytest.mark.parametrize("name", ["rmse", "hfen"])
def test_normalized_by_the_truth_never_by_the_prediction(name: str) -> None:
    prediction, truth, mask = maps()
    forward, backward = FUNCTIONS[name](3 * prediction, truth, mask), FUNCTIONS[name](truth, 3 * prediction, mask)
    assert forward > 2 * backward


def test_high_frequency_error_is_smaller_for_slow_changes() -> None:
    rng = np.random.default_rng(0)
    truth, fine = rng.normal(size=(2, 40, 40, 40))
    slow = np.exp(-np.square(np.indices(truth.shape) - 20).sum(0) / 128)
    slow *= np.linalg.norm(fine) / np.linalg.norm(slow)
    assert root_mean_square_error(truth + slow, truth) == pytest.approx(root_mean_square_error(truth + fine, truth))
    assert high_frequency_error(truth + slow, truth) < 0.6 * high_frequency_error(truth + fine, truth)


def test_demeaned_error_does_not_see_the_reference_and_detrended_not_the_scale() -> None:
    prediction, truth, mask = maps()
    assert demeaned_error(prediction + 3, truth - 1, mask) == pytest.approx(demeaned_error(prediction, truth, mask))
    assert demeaned_error(0.5 * truth + 3, truth, mask) == pytest.approx(50)
    assert demeaned_error(0.5 * truth + 3, truth, mask, detrend=True) == pytest.approx(0, abs=1e-9)
    assert demeaned_error(0 * truth, truth, mask, detrend=True) == pytest.approx(100)


def test_an_extreme_value_hides_errors_from_ssim_and_not_from_xsim() -> None:
    """It stretches the scale of SSIM, as Milovic et al. 2025 say."""
    _, truth, mask = maps()
    prediction, spoiled = -truth, -truth
    spoiled[2, 2, 2] = 10
    assert challenge_ssim(spoiled, truth, mask) > challenge_ssim(prediction, truth, mask) + 0.3
    assert xsim(spoiled, truth, mask) == pytest.approx(xsim(prediction, truth, mask), abs=0.02)


def test_undefined_is_nan() -> None:
    zeros = np.zeros((4, 4, 4))
    assert math.isnan(root_mean_square_error(zeros + 1, zeros))
    assert math.isnan(xsim(zeros, zeros))
    assert math.isnan(challenge_ssim(zeros, zeros))


def test_errors_by_region() -> None:
    truth, labels = np.zeros((4, 4, 4)), np.zeros((4, 4, 4), int)
    labels[1:3], truth[1:3] = 5, 0.1
    prediction = truth + 0.02
    prediction[1, :, :2] += 0.04
    found = region_errors(prediction, truth, labels, {"pallidum": 5, "absent": 9})
    assert found["pallidum"] == pytest.approx(
        {"bias": 0.03, "rmse": math.sqrt((0.06**2 + 3 * 0.02**2) / 4), "mean": 0.13, "true_mean": 0.1}
    )
    assert all(math.isnan(value) for value in found["absent"].values())


def batch() -> tuple[Tensor, Tensor]:
    """Two predictions, and truths with their masks as second channel."""
    cases = [maps(seed) for seed in (0, 1)]
    predictions = torch.stack([torch.from_numpy(p)[None] for p, _, _ in cases])
    truths = torch.stack([torch.from_numpy(np.stack([t, m])) for _, t, m in cases])
    return predictions, truths


def test_metric_has_the_functions_as_columns() -> None:
    metric = SusceptibilityMetrics()
    values = metric(*batch())
    prediction, truth, mask = maps(1)
    names = [metric.names.index(name.upper()) for name in FUNCTIONS]
    expected = [function(prediction, truth, mask) for function in FUNCTIONS.values()]
    torch.testing.assert_close(values[1, names], torch.tensor(expected), rtol=1e-5, atol=1e-5)
    assert values[1, metric.names.index("NRMSE")].item() == pytest.approx(demeaned_error(prediction, truth, mask))
    torch.testing.assert_close(metric.aggregate(), values.mean(0))
    assert [row["RMSE"] for row in metric.rows()] == pytest.approx(values[:, 0].tolist())


@pytest.mark.parametrize("column", SusceptibilityMetrics.names)
def test_one_column_is_that_of_the_whole(column: str) -> None:
    whole, thin = SusceptibilityMetrics(), SusceptibilityMetrics(column)
    assert thin.names == (column,)
    expected = whole(*batch())[:, [whole.names.index(thin.names[0])]]
    torch.testing.assert_close(thin(*batch()), expected)


def test_metric_takes_lists_and_metatensors() -> None:
    predictions, truths = batch()
    metric = SusceptibilityMetrics("RMSE")
    found = metric([MetaTensor(p) for p in predictions], list(truths))
    torch.testing.assert_close(found, SusceptibilityMetrics("RMSE")(predictions, truths))


def test_demeaning_first_makes_the_reference_irrelevant() -> None:
    predictions, truths = batch()
    metric = SusceptibilityMetrics(demean=True)
    torch.testing.assert_close(metric(predictions + 1, truths), metric(predictions, truths), rtol=1e-4, atol=1e-5)


def test_without_a_mask_all_voxels_count() -> None:
    predictions, truths = batch()
    assert SusceptibilityMetrics("RMSE")(predictions, truths[:, :1])[0].item() == pytest.approx(
        root_mean_square_error(*maps()[:2])
    )


def test_metric_by_region() -> None:
    metric = RegionErrors({"brain": 1, "outside": 0})
    values = metric(*batch())
    assert metric.names == ("brain_bias", "brain_rmse", "outside_bias", "outside_rmse")
    prediction, truth, mask = maps()
    assert values[0, 0].item() == pytest.approx((prediction - truth)[mask].mean())
    alone = RegionErrors({"brain": 1}, ["rmse"])
    torch.testing.assert_close(alone(*batch()), values[:, 1:2])
    assert alone.names == ("brain_rmse",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: root_mean_square_error(np.zeros((2, 2, 2)), np.zeros((2, 2, 3))), "shapes differ: prediction"),
        (lambda: xsim(*[np.zeros((2, 2, 2))] * 2, np.zeros((2, 2, 1))), r"mask or labels \(2, 2, 1\)"),
        (lambda: demeaned_error(*[np.zeros((2, 2, 2))] * 3), "mask must not be empty"),
        (lambda: region_errors(*[np.zeros((2, 2, 2))] * 2, np.zeros((2, 2, 1)), {}), r"mask or labels \(2, 2, 1\)"),
        (lambda: RegionErrors({}), "regions must name at least one label"),
        (lambda: RegionErrors({"a": 1}, ["worst"]), "errors must be among bias, rmse"),
        (lambda: RegionErrors({"a": 1})(*[torch.zeros(1, 1, 4, 4, 4)] * 2), "need a label map as second channel"),
        (
            lambda: SusceptibilityMetrics("RMSE")(torch.zeros(1, 2, 4, 4, 4), torch.zeros(1, 1, 4, 4, 4)),
            "maps must have shapes",
        ),
        (lambda: SusceptibilityMetrics()([torch.zeros(1, 4, 4, 4)], []), "got 1 predicted maps, 0 true maps"),
        (lambda: SusceptibilityMetrics("RMSE").aggregate(), "SusceptibilityMetrics has collected no values"),
        (lambda: SusceptibilityMetrics(reduction="other"), "other"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()

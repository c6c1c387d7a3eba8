"""Tests of the errors of reconstructed images."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from mri_attention.metrics import (
    ReconstructionMetrics,
    normalized_mean_square_error,
    reference_psnr,
    reference_ssim,
)


def images(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A prediction and a reference, whose slices differ in brightness."""
    rng = np.random.default_rng(seed)
    reference = rng.uniform(0, 300, (16, 12, 3)) * [1, 0.5, 0.1]
    return reference + rng.normal(0, 20, reference.shape), reference


def test_equal_scikit_images_numbers() -> None:
    prediction, reference = images()
    nmse, psnr = normalized_root_mse(reference, prediction) ** 2, reference.max()
    assert normalized_mean_square_error(prediction, reference) == pytest.approx(nmse)
    expected = peak_signal_noise_ratio(reference, prediction, data_range=psnr)
    assert reference_psnr(prediction, reference) == pytest.approx(expected)
    ssim = [structural_similarity(reference[..., z], prediction[..., z], data_range=reference.max()) for z in range(3)]
    assert reference_ssim(prediction, reference) == pytest.approx(np.mean(ssim))
    volume = np.concatenate([reference] * 3, 2)
    whole = structural_similarity(volume, volume + 20, data_range=volume.max())
    assert reference_ssim(volume + 20, volume, None) == pytest.approx(whole)


def test_psnr_follows_its_formula() -> None:
    prediction, reference = images()
    error = np.square(prediction - reference).mean()
    assert reference_psnr(prediction, reference) == pytest.approx(10 * math.log10(reference.max() ** 2 / error))


def test_perfect_and_undefined() -> None:
    _, reference = images()
    assert normalized_mean_square_error(reference, reference) == 0
    assert reference_psnr(reference, reference) == math.inf
    assert reference_ssim(reference, reference) == pytest.approx(1)
    zeros = np.zeros((8, 8, 2))
    for function in (normalized_mean_square_error, reference_psnr, reference_ssim):
        assert math.isnan(function(zeros + 1, zeros))


def test_normalized_by_the_reference_never_by_the_prediction() -> None:
    prediction, reference = images()
    for function in (normalized_mean_square_error, reference_psnr):
        assert function(2 * prediction, reference) != pytest.approx(function(reference, 2 * prediction))


def test_scale_of_both_does_not_matter() -> None:
    prediction, reference = images()
    for function in (normalized_mean_square_error, reference_psnr, reference_ssim):
        assert function(7 * prediction, 7 * reference) == pytest.approx(function(prediction, reference))


def batch() -> tuple[Tensor, Tensor]:
    cases = [images(seed) for seed in (0, 1)]
    return tuple(torch.stack([torch.from_numpy(case[i])[None] for case in cases]) for i in (0, 1))  # type: ignore


def test_metric_has_the_functions_as_columns() -> None:
    metric = ReconstructionMetrics()
    values = metric(*batch())
    functions = (normalized_mean_square_error, reference_psnr, reference_ssim)
    torch.testing.assert_close(values[1], torch.tensor([function(*images(1)) for function in functions]))
    torch.testing.assert_close(metric.aggregate(), values.mean(0))
    assert list(metric.rows()[0]) == ["NMSE", "PSNR", "SSIM"]


@pytest.mark.parametrize("column", ReconstructionMetrics.names)
def test_one_column_is_that_of_the_whole(column: str) -> None:
    whole, thin = ReconstructionMetrics(), ReconstructionMetrics(column)
    assert thin.names == (column,)
    expected = whole(*batch())[:, [whole.names.index(thin.names[0])]]
    torch.testing.assert_close(thin(*batch()), expected)


def test_takes_images_of_two_dimensions_lists_and_metatensors() -> None:
    predictions, references = batch()
    flat = ReconstructionMetrics("SSIM")(predictions[..., 0], references[..., 0])
    assert flat[0].item() == pytest.approx(reference_ssim(*(v[..., 0] for v in images()), None))
    found = ReconstructionMetrics("PSNR")([MetaTensor(p) for p in predictions], list(references))
    torch.testing.assert_close(found, ReconstructionMetrics("PSNR")(predictions, references))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reference_psnr(np.zeros((2, 2)), np.zeros((2, 3))), r"prediction \(2, 2\), truth \(2, 3\)"),
        (lambda: reference_ssim(np.ones((4, 4, 1)), np.ones((4, 4, 1))), "win_size exceeds image extent"),
        (
            lambda: ReconstructionMetrics("NMSE")(torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)),
            "images must have shapes",
        ),
        (
            lambda: ReconstructionMetrics("NMSE")(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 9)),
            "images must have shapes",
        ),
        (lambda: ReconstructionMetrics(reduction="other"), "other"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()

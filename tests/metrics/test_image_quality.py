"""Tests of metrics.image_quality."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.metrics import PSNRMetric
from scipy import ndimage

from mri_attention.metrics import SuperResolutionMetrics, psnr, ssim


def volumes(shape: tuple[int, ...] = (14, 13, 12)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A prediction, a truth from 0 to 1, and a mask."""
    rng = np.random.default_rng(0)
    truth = rng.random(shape)
    mask = np.zeros(shape, bool)
    mask[3:-4, 2:-3, 5:-1] = True
    return truth + rng.normal(0, 0.05, shape), truth, mask


def test_psnr_is_monais_over_the_whole_volume() -> None:
    x, t, _ = volumes()
    expected = PSNRMetric(max_val=1.0)(*(torch.from_numpy(v)[None, None] for v in (x, t))).item()
    assert psnr(x, t) == pytest.approx(expected)


def test_ssim_is_that_of_a_gaussian_window_of_11_voxels() -> None:
    x, t, mask = volumes()

    def smooth(volume: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(volume, 1.5, radius=5)

    m, n = smooth(x), smooth(t)
    above = (2 * m * n + 0.01**2) * (2 * (smooth(x * t) - m * n) + 0.03**2)
    similarity = above / ((m**2 + n**2 + 0.01**2) * (smooth(x * x) - m**2 + smooth(t * t) - n**2 + 0.03**2))
    assert ssim(x, t) == pytest.approx(similarity[5:-5, 5:-5, 5:-5].mean())
    assert ssim(x, t, mask) == pytest.approx(similarity[mask].mean())


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_intensities_and_peak_may_have_any_unit(measure: object) -> None:
    assert callable(measure)
    x, t, mask = volumes()
    assert measure(100 * x, 100 * t, mask, peak=100.0) == pytest.approx(measure(x, t, mask))


def test_background_raises_the_psnr_of_the_volume_alone() -> None:
    x, t, mask = volumes()
    x, t = x * mask, t * mask
    assert psnr(x, t) == pytest.approx(psnr(x, t, mask) + 10 * math.log10(mask.size / mask.sum()))


def test_equal_volumes_are_best_and_empty_masks_undefined() -> None:
    x, t, mask = volumes()
    assert psnr(t, t) == math.inf
    assert ssim(t, t) == pytest.approx(1)
    assert math.isnan(psnr(x, t, np.zeros_like(mask)))
    assert math.isnan(ssim(x, t, np.zeros_like(mask)))


def test_metric_has_a_row_per_case() -> None:
    x, t, mask = volumes()
    metric = SuperResolutionMetrics()
    metric([torch.from_numpy(x)[None]], [torch.from_numpy(np.stack([t, mask]))])
    metric([torch.from_numpy(x)[None]], [torch.from_numpy(t)[None]])
    first, second = metric.rows()
    expected = {"PSNR": psnr(x, t), "SSIM": ssim(x, t), "PSNR-brain": psnr(x, t, mask), "SSIM-brain": ssim(x, t, mask)}
    assert first == pytest.approx(expected, rel=1e-6)
    assert second["PSNR"] == first["PSNR"]
    assert math.isnan(second["PSNR-brain"])
    torch.testing.assert_close(metric.aggregate(), torch.tensor(list(first.values())))


def test_rejects_other_shapes() -> None:
    x, t, mask = volumes()
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(x[:-1], t)
    with pytest.raises(ValueError, match="shapes differ"):
        ssim(x, t, mask[:-1])
    with pytest.raises(ValueError, match="volumes must have shapes"):
        SuperResolutionMetrics()(torch.zeros(1, 2, 12, 12, 12), torch.zeros(1, 1, 12, 12, 12))

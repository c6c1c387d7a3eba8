"""How metrics are read: their headings, decimals, means and spreads."""

from __future__ import annotations

import math

METRICS = {
    "dice": ("DSC", 3),
    "ltpr": ("LTPR", 3),
    "lppv": ("LPPV", 3),
    "lesion_f1": ("L-F1", 3),
    "true_volume": ("true volume (ml)", 2),
    "predicted_volume": ("predicted volume (ml)", 2),
    "true_count": ("true lesions", 0),
    "predicted_count": ("predicted lesions", 0),
    "psnr": ("PSNR (dB)", 2),
    "ssim": ("SSIM", 4),
    "nmse": ("NMSE", 5),
    "psnr_of_guide": ("PSNR of the guide (dB)", 2),
    "ssim_of_guide": ("SSIM of the guide", 4),
    "psnr_brain": ("PSNR of the brain (dB)", 2),
    "ssim_brain": ("SSIM of the brain", 4),
    "data_consistency_error": ("NMSE of the input's k-space", 7),
    "lesion_error": ("error inside lesions", 4),
    "error_outside_lesions": ("error outside lesions", 4),
    "lesion_bias": ("bias inside lesions", 4),
    "lesion_nmse": ("NMSE inside lesions", 5),
    "lesion_psnr": ("PSNR inside lesions (dB)", 2),
    "lesion_contrast": ("contrast of lesions kept", 3),
    "ring_error": ("error around lesions", 4),
    "ring_bias": ("bias around lesions", 4),
    "ring_nmse": ("NMSE around lesions", 5),
    "ring_psnr": ("PSNR around lesions (dB)", 2),
    "rmse": ("RMSE (%)", 1),
    "nrmse": ("NRMSE (%)", 1),
    "hfen": ("HFEN (%)", 1),
    "xsim": ("XSIM", 3),
}
"""Heading and decimals of metrics; one that is not here stands under its own name, with three."""

COUNTS = ("true_count", "true_volume", "predicted_count", "predicted_volume")
"""Metrics that describe a case rather than judge a network."""

REGION_ERRORS = {"_bias_ppm": "bias (ppm)", "_rmse_ppm": "RMSE (ppm)"}
"""Ends of the names of errors in a region, such as ``red_nucleus_bias_ppm``, and how they are read."""


def title_of(metric: str) -> str:
    """Return the heading of a metric."""
    for end, error in REGION_ERRORS.items():
        if metric.endswith(end):
            return f"{metric.removesuffix(end).replace('_', ' ')}: {error}"
    return METRICS.get(metric, (metric, 3))[0]


def decimals_of(metric: str) -> int:
    """Return how many decimals of a metric tables show."""
    return 4 if metric.endswith(tuple(REGION_ERRORS)) else METRICS.get(metric, (metric, 3))[1]


def number_text(value: float, decimals: int) -> str:
    """Return ``value`` with so many decimals, or ``undefined`` for NaN."""
    return "undefined" if math.isnan(value) else f"{value:.{decimals}f}"


def mean_text(metric: str, mean: float, spread: float, other: float = math.nan) -> str:
    """Return ``mean ± spread (other)`` of a metric, without those of the latter two that are NaN."""
    decimals = max(decimals_of(metric), 1)  # means of counts are not whole numbers
    text = number_text(mean, decimals)
    text += "" if math.isnan(spread) else f" ± {spread:.{decimals}f}"
    return text if math.isnan(other) else f"{text} ({other:.{decimals}f})"

"""Metrics of networks over cases: statistics, CSV, JSON and the table that shows them side by side."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..running.evaluation import Evaluation

TITLES = {
    "dice": "DSC",
    "ltpr": "LTPR",
    "lppv": "LPPV",
    "lesion_f1": "L-F1",
    "true_volume": "true volume (ml)",
    "predicted_volume": "predicted volume (ml)",
    "true_count": "true lesions",
    "predicted_count": "predicted lesions",
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "nmse": "NMSE",
    "psnr_of_guide": "PSNR of the guide (dB)",
    "ssim_of_guide": "SSIM of the guide",
    "psnr_brain": "PSNR of the brain (dB)",
    "ssim_brain": "SSIM of the brain",
    "data_consistency_error": "NMSE of the input's k-space",
    "lesion_error": "error inside lesions",
    "error_outside_lesions": "error outside lesions",
    "lesion_bias": "bias inside lesions",
    "lesion_nmse": "NMSE inside lesions",
    "lesion_psnr": "PSNR inside lesions (dB)",
    "lesion_contrast": "contrast of lesions kept",
    "ring_error": "error around lesions",
    "ring_bias": "bias around lesions",
    "ring_nmse": "NMSE around lesions",
    "ring_psnr": "PSNR around lesions (dB)",
    "rmse": "RMSE (%)",
    "nrmse": "NRMSE (%)",
    "hfen": "HFEN (%)",
    "xsim": "XSIM",
}
"""Headings of metrics; one that is not here stands under its own name."""

COUNTS = ("true_count", "true_volume", "predicted_count", "predicted_volume")
"""Metrics that describe a case rather than judge a network."""

DECIMALS = {
    "true_volume": 2,
    "predicted_volume": 2,
    "true_count": 0,
    "predicted_count": 0,
    "psnr": 2,
    "psnr_brain": 2,
    "ssim": 4,
    "ssim_brain": 4,
    "nmse": 5,
    "psnr_of_guide": 2,
    "ssim_of_guide": 4,
    "data_consistency_error": 7,
    "lesion_error": 4,
    "error_outside_lesions": 4,
    "lesion_bias": 4,
    "lesion_nmse": 5,
    "lesion_psnr": 2,
    "ring_error": 4,
    "ring_bias": 4,
    "ring_nmse": 5,
    "ring_psnr": 2,
    "nrmse": 1,
    "hfen": 1,
    "rmse": 1,
}


REGION_ERRORS = {"_bias_ppm": "bias (ppm)", "_rmse_ppm": "RMSE (ppm)"}
"""Ends of the names of errors in a region, such as ``red_nucleus_bias_ppm``, and how they are read."""


def title_of(metric: str) -> str:
    """Return the heading of a metric."""
    for end, error in REGION_ERRORS.items():
        if metric.endswith(end):
            return f"{metric.removesuffix(end).replace('_', ' ')}: {error}"
    return TITLES.get(metric, metric)


def decimals_of(metric: str) -> int:
    """Return how many decimals of a metric tables show."""
    return 4 if metric.endswith(tuple(REGION_ERRORS)) else DECIMALS.get(metric, 3)


def comparison_table(evaluations: Sequence[Evaluation]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of "mean ± sd (median)": one row per metric, one column per network."""
    from ...metrics import summarize

    summaries = [summarize(e.rows) for e in evaluations]
    rows = []
    for name in summaries[0]:
        counts = dict.fromkeys(str(summary[name]["n"]) for summary in summaries)
        cells = [_mean_and_spread(summary[name], decimals_of(name)) for summary in summaries]
        rows.append([title_of(name), *cells, "/".join(counts)])
    return ["metric", *(e.network for e in evaluations), "n"], rows


def _mean_and_spread(summary: dict[str, float], decimals: int) -> str:
    decimals = max(decimals, 1)  # means of counts are not whole numbers
    mean, spread, median = (_cell(summary[name], decimals) for name in ("mean", "std", "median"))
    return f"{mean} ± {spread} ({median})" if summary["n"] > 1 else mean


def case_table(evaluation: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table with one row per case."""
    header = ["case", *(title_of(name) for name in evaluation.rows[0])]
    rows = [
        [case, *(_cell(value, decimals_of(name)) for name, value in row.items())]
        for case, row in zip(evaluation.case_names, evaluation.rows, strict=True)
    ]
    return header, rows


def _cell(value: float, decimals: int) -> str:
    return "undefined" if math.isnan(value) else f"{value:.{decimals}f}"


def write_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write one row per network and case; an undefined metric is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["network", "case", *evaluations[0].rows[0]])
        for evaluation in evaluations:
            for case, row in zip(evaluation.case_names, evaluation.rows, strict=True):
                values = ("" if math.isnan(v) else f"{v:.6g}" for v in row.values())
                writer.writerow([evaluation.network, case, *values])


def write_summary(evaluations: Sequence[Evaluation], provenance: dict[str, Any], path: Path) -> None:
    """Write the statistics of each network and metric, and where they come from, as JSON without NaN."""
    from ...metrics import summarize

    networks = {e.network: _without_nan(summarize(e.rows)) for e in evaluations}
    content = {"networks": networks, "provenance": provenance}
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _without_nan(summary: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    return {
        metric: {name: None if math.isnan(value) else value for name, value in statistics.items()}
        for metric, statistics in summary.items()
    }

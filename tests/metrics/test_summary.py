"""Tests of metrics.summary."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from mri_attention.metrics import paired_bootstrap, summarize


def test_summary_agrees_with_hand_calculation() -> None:
    rows = [{"DSC": 1.0, "LTPR": 0.5}, {"DSC": 2.0, "LTPR": math.nan}, {"DSC": 6.0, "LTPR": math.nan}]
    summary = summarize(rows)
    assert summary["DSC"] == pytest.approx({"n": 3, "mean": 3, "std": math.sqrt(7), "median": 2, "min": 1, "max": 6})
    assert summary["LTPR"] == pytest.approx(
        {"n": 1, "mean": 0.5, "std": math.nan, "median": 0.5, "min": 0.5, "max": 0.5}, nan_ok=True
    )


def test_summary_of_nan_only_is_nan() -> None:
    summary = summarize([{"LTPR": math.nan}] * 2)["LTPR"]
    assert summary.pop("n") == 0
    assert len(summary) == 5
    assert all(math.isnan(value) for value in summary.values())


def test_interval_agrees_with_all_resamples_of_four_cases() -> None:
    differences = np.array([0.1, 0.4, -0.3, 0.9])
    means = np.mean(list(product(differences, repeat=4)), axis=1)
    result = paired_bootstrap(differences, np.zeros(4), n_resamples=100_000, confidence=0.7)
    assert (result.low, result.high) == pytest.approx(np.quantile(means, [0.15, 0.85]), abs=0.02)


def test_interval_agrees_with_the_normal_one_for_many_cases() -> None:
    rng = np.random.default_rng(0)
    b = rng.normal(size=400)
    a = b + rng.normal(0.2, 1, size=400)
    result = paired_bootstrap(a, b, confidence=0.9)
    half = 1.6449 * np.std(a - b, ddof=1) / 20
    assert result.mean == pytest.approx((a - b).mean())
    assert (result.low, result.high) == pytest.approx((result.mean - half, result.mean + half), abs=0.006)


def test_pairing_removes_what_cases_share() -> None:
    b = np.random.default_rng(0).normal(0, 100, size=12)
    result = paired_bootstrap(b + 0.5, b)
    assert (result.low, result.mean, result.high) == pytest.approx((0.5, 0.5, 0.5))


def test_pairs_with_nan_are_left_out() -> None:
    result = paired_bootstrap([1, math.nan, 3, 4], [0, 0, math.nan, 1])
    assert (result.n, result.mean) == (2, 2)


@pytest.mark.parametrize("n_pairs", [1, 5])
def test_interval_of_equal_differences_is_that_difference(n_pairs: int) -> None:
    result = paired_bootstrap([0.75] * n_pairs, [0.5] * n_pairs)
    assert (result.n, result.low, result.mean, result.high) == (n_pairs, 0.25, 0.25, 0.25)


def test_seed_fixes_the_interval() -> None:
    a = np.random.default_rng(0).normal(size=9)
    first, same, other = (paired_bootstrap(a, a * 0, n_resamples=50, seed=seed) for seed in (3, 3, 4))
    assert first == same != other


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: summarize([]), "at least one case"),
        (lambda: summarize([{"a": 1.0}, {"b": 1.0}]), r"row 1 has metrics \['b'\], row 0 has \['a'\]"),
        (lambda: paired_bootstrap([1, 2], [1]), r"\(2,\) and \(1,\)"),
        (lambda: paired_bootstrap([[1]], [[1]]), r"\(1, 1\) and \(1, 1\)"),
        (lambda: paired_bootstrap([math.nan], [1]), "no pair without NaN among 1"),
        (lambda: paired_bootstrap([1], [1], n_resamples=0), "got 0, 0.95"),
        (lambda: paired_bootstrap([1], [1], confidence=1), "got 10000, 1"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()

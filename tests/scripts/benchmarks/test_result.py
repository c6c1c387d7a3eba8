"""Tests of ratios of times."""

from mri_attention.scripts.benchmarks.result import milliseconds, ratio


def test_ratio_is_the_median_within_rounds() -> None:
    assert ratio([2.0, 40.0, 6.0], [1.0, 10.0, 2.0]) == "3.00 (2.50-3.50)"
    assert ratio([2.0], [4.0]) == "0.50"


def test_milliseconds_are_the_median() -> None:
    assert milliseconds([0.001, 0.2, 0.0304]) == "30.4"

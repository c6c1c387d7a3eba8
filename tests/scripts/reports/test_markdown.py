"""Tests of tables in Markdown."""

from mri_attention.scripts.reports.markdown import markdown


def test_numbers_stand_to_the_right() -> None:
    assert markdown(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"

"""Tests of reports and their tables."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from mri_attention.scripts.reports.evaluation_report import (
    case_table,
    comparison_table,
    condition_tables,
    statistics_of,
    value_table,
)
from mri_attention.scripts.reports.html_report import Picture, Report, Section, write_report
from mri_attention.scripts.reports.metric_texts import decimals_of, mean_text, title_of
from mri_attention.scripts.reports.table import Table
from mri_attention.scripts.running.evaluation import Evaluation
from mri_attention.scripts.running.records import write_json

EVALUATION = Evaluation(
    network="Net",
    cases=[{"subject": "sub-01", "session": "ses-1"}, {"subject": "sub-02", "session": ""}],
    rows=[{"dice": 0.5, "ltpr": math.nan}, {"dice": 1.0, "ltpr": math.nan}],
    output_dir=Path(),
    contrasts=["T1w"],
    model=None,
)


def test_report_holds_everything_and_asks_for_nothing(tmp_path: Path) -> None:
    table = Table(["case", "dice"], [["sub-01", "0.5"]], caption="Net <b>")
    section = Section("Results", ["One & two"], [table], [Picture(b"abc", "seen", "told")])
    write_report(Report("Title", {"Date": "today"}, [section]), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    for text in (
        "Title",
        "today",
        "One &amp; two",
        "Net &lt;b&gt;",
        "0.5",
        "seen",
        'alt="told"',
        "base64,YWJj",
    ):
        assert text in html
    for link in ("http", 'src="/', "<script", "<link"):
        assert link not in html


def test_comparison_shows_mean_spread_median_and_number() -> None:
    table = comparison_table([EVALUATION])
    assert table.header == ["metric", "Net", "n"]
    assert table.rows[0] == ["DSC", "0.750 ± 0.354 (0.750)", "2"]
    assert table.rows[1] == ["LTPR", "undefined", "0"]


def test_errors_in_regions_are_read_by_their_names() -> None:
    assert title_of("red_nucleus_bias_ppm") == "red nucleus: bias (ppm)"
    assert title_of("pallidum_rmse_ppm") == "pallidum: RMSE (ppm)"
    assert (title_of("nrmse"), title_of("unknown")) == ("NRMSE (%)", "unknown")
    assert (decimals_of("pallidum_rmse_ppm"), decimals_of("nrmse"), decimals_of("unknown")) == (4, 1, 3)


def test_case_table_names_subject_and_session() -> None:
    assert case_table(EVALUATION).rows == [
        ["sub-01_ses-1", "0.500", "undefined"],
        ["sub-02", "1.000", "undefined"],
    ]


def test_files_leave_undefined_values_empty(tmp_path: Path) -> None:
    value_table([EVALUATION]).write_csv(tmp_path / "metrics.csv")
    with (tmp_path / "metrics.csv").open() as file:
        assert next(csv.DictReader(file)) == {
            "network": "Net",
            "case": "sub-01_ses-1",
            "dice": "0.5",
            "ltpr": "",
        }
    write_json(statistics_of([EVALUATION]), tmp_path / "summary.json")
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content["networks"]["Net"]["ltpr"]["mean"] is None
    assert content["networks"]["Net"]["dice"]["median"] == 0.75


def test_conditions_have_a_column_for_each_varied_id_and_a_row_each() -> None:
    both = [replace(EVALUATION, condition={"noise": noise, "mask": "random"}) for noise in (0, 0.1)]
    assert value_table(both).rows[2][:5] == [0.1, "random", "Net", "sub-01_ses-1", 0.5]
    table = condition_tables(both)[0]
    assert (table.caption, table.header) == ("DSC", ["noise", "mask", "Net"])
    assert table.rows == [[0, "random", "0.750 ± 0.354"], [0.1, "random", "0.750 ± 0.354"]]
    assert statistics_of(both)["conditions"][1]["settings"] == {"noise": 0.1, "mask": "random"}


def test_tables_are_markdown_with_six_digits_and_whole_numbers_in_full() -> None:
    table = Table(["a", "b"], [["x", 1234567], ["y", 1 / 3], ["z", None]])
    assert table.markdown() == "| a | b |\n| --- | ---: |\n| x | 1234567 |\n| y | 0.333333 |\n| z |  |\n"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.5, 0.25, 0.75), "0.50 ± 0.25 (0.75)"),
        ((0.5, math.nan, 0.75), "0.50 (0.75)"),
        ((0.5, math.nan), "0.50"),
        ((math.nan, math.nan), "undefined"),
    ],
)
def test_what_is_undefined_is_left_out_of_means(values: tuple[float, ...], text: str) -> None:
    assert mean_text("psnr", *values) == text


def test_links_are_escaped(tmp_path: Path) -> None:
    section = Section("Look", links={"1: <b>": "viewers/a%20b.html"})
    write_report(Report("cases", sections=[section]), tmp_path / "report.html")
    assert '<a href="viewers/a%20b.html">1: &lt;b&gt;</a>' in (tmp_path / "report.html").read_text()

"""Tests of scripts.report and scripts.tables."""

import csv
import json
import math
from pathlib import Path

from mri_attention.scripts.reports.html_report import Picture, Report, Section, Table, write_report
from mri_attention.scripts.reports.tables import (
    Evaluation,
    case_table,
    comparison_table,
    decimals_of,
    title_of,
    write_csv,
    write_summary,
)

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
    header, rows = comparison_table([EVALUATION])
    assert header == ["metric", "Net", "n"]
    assert rows[0] == ["DSC", "0.750 ± 0.354 (0.750)", "2"]
    assert rows[1] == ["LTPR", "undefined", "0"]


def test_errors_in_regions_are_read_by_their_names() -> None:
    assert title_of("red_nucleus_bias_ppm") == "red nucleus: bias (ppm)"
    assert title_of("pallidum_rmse_ppm") == "pallidum: RMSE (ppm)"
    assert (title_of("nrmse"), title_of("unknown")) == ("NRMSE (%)", "unknown")
    assert (decimals_of("pallidum_rmse_ppm"), decimals_of("nrmse"), decimals_of("unknown")) == (4, 1, 3)


def test_case_table_names_subject_and_session() -> None:
    assert case_table(EVALUATION)[1] == [
        ["sub-01_ses-1", "0.500", "undefined"],
        ["sub-02", "1.000", "undefined"],
    ]


def test_files_leave_undefined_values_empty(tmp_path: Path) -> None:
    write_csv([EVALUATION], tmp_path / "metrics.csv")
    with (tmp_path / "metrics.csv").open() as file:
        assert next(csv.DictReader(file)) == {
            "network": "Net",
            "case": "sub-01_ses-1",
            "dice": "0.5",
            "ltpr": "",
        }
    write_summary([EVALUATION], {"bundle": "b"}, tmp_path / "summary.json")
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content["networks"]["Net"]["ltpr"]["mean"] is None
    assert content["networks"]["Net"]["dice"]["median"] == 0.75

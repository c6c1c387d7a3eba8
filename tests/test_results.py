"""Tests of the results file: pages hold its numbers, references lead somewhere, and errors are told."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.markdown import LINK, anchors

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "fill_results.py"))
ResultsError: type[ValueError] = SCRIPT["ResultsError"]
NUMBERED = ("README.md", "docs/results.md", "docs/experiments/*.md", "bundles/*/docs/README.md")
"""Pages whose tables have no decimal number that is not from the results file."""

DECIMAL = re.compile(r"(?<![\w.=])\d+\.\d+(?![\d.])")
CODE = re.compile(r"^```.*?^```", re.M | re.S)


def pages(*patterns: str) -> list[Path]:
    return [page for pattern in patterns for page in sorted(ROOT.glob(pattern))]


def test_pages_hold_the_numbers_of_the_results_file() -> None:
    results = SCRIPT["Results"]()
    pages = list(SCRIPT["pages"]())
    assert ROOT / "README.md" in pages
    assert [page for page in pages if SCRIPT["filled"](page, results) != page.read_text()] == []


def test_every_cell_and_command_leads_somewhere() -> None:
    results = SCRIPT["Results"]()
    for name, account in results.accounts.items():
        assert not [cell for row in results.table(name) for cell in row if re.match(r"\**=", cell)], name
        assert account["command"].endswith(".md") or "#" in account["command"], name
        file, _, place = account["command"].partition("#")
        assert not place or place in anchors(ROOT / file), f"{name}: {account['command']}"
        for target, _ in LINK.findall(str(account["rows"])):
            assert not target or (ROOT / target).exists(), f"{name}: {target}"


def loose_numbers(text: str) -> list[str]:
    """Return rows of tables with decimal numbers that stand neither in a filled table, nor in code, nor in a mark."""
    for pattern in (CODE, SCRIPT["TABLE"], SCRIPT["NUMBER"], re.compile(r"`[^`\n]*`")):
        text = pattern.sub("", text)
    return [line for line in text.splitlines() if line[:1] == "|" and DECIMAL.search(line)]


@pytest.mark.parametrize("page", pages(*NUMBERED), ids=lambda p: str(p.relative_to(ROOT)))
def test_tables_have_no_number_of_their_own(page: Path) -> None:
    assert loose_numbers(page.read_text()) == []


def test_numbers_of_no_file_are_found() -> None:
    page = (
        "<!-- results: b/t -->\n\n| a | 1.5 |\n\n<!-- end -->\n| <!-- = b/t/r/c -->1.5<!-- --> | `0.5` | x==1.0.2 |\n"
    )
    assert loose_numbers(page + "In 2.5 s\n```\n| 1.5 |\n```\n") == []
    assert loose_numbers(page + "| a | -1.5 ± 0.1 |\n| **27.3** |\n| 1e3 | 12 |\n") == [
        "| a | -1.5 ± 0.1 |",
        "| **27.3** |",
    ]


FILE = """
bundle:
  first:
    data: two cases
    command: docs/page.md
    rows:
    - ["network", "PSNR", "SSIM"]
    - ["[`nets/ours`](docs/page.md#a)", "**31.46** ± 1.00", "0.9"]
    - ["theirs, before", "30.00", "0.8"]
  second:
    data: two cases
    command: docs/page.md
    rows:
    - ["what", "PSNR"]
    - ["ours", "= bundle/first/nets/ours/PSNR"]
    - ["theirs", "**= bundle/first/theirs, before/PSNR**"]
"""


def fill(tmp_path: Path, page: str, content: str = FILE) -> str:
    (tmp_path / "docs").mkdir(exist_ok=True)
    (tmp_path / "results.yaml").write_text(content)
    (tmp_path / "docs" / "page.md").write_text(page)
    text: str = SCRIPT["filled"](tmp_path / "docs" / "page.md", SCRIPT["Results"](tmp_path / "results.yaml"), tmp_path)
    return text


def test_tables_are_filled_with_links_as_the_page_needs_them(tmp_path: Path) -> None:
    page = "Text\n\n<!-- results: bundle/first -->\nold\n<!-- end -->\n\nMore\n"
    assert fill(tmp_path, page) == (
        "Text\n\n<!-- results: bundle/first -->\n\n"
        "| network | PSNR | SSIM |\n|---|---|---|\n"
        "| [`nets/ours`](page.md#a) | **31.46** ± 1.00 | 0.9 |\n| theirs, before | 30.00 | 0.8 |\n\n"
        "<!-- end -->\n\nMore\n"
    )
    assert fill(tmp_path, fill(tmp_path, page)) == fill(tmp_path, page)


def test_columns_and_rows_are_chosen_by_name(tmp_path: Path) -> None:
    text = fill(tmp_path, "<!-- results: bundle/first columns=SSIM rows=theirs, before;nets/ours -->\n<!-- end -->\n")
    assert "| network | SSIM |\n|---|---|\n| theirs, before | 0.8 |\n| [`nets/ours`](page.md#a) | 0.9 |\n" in text


def test_cells_and_sentences_take_the_numbers_of_other_tables(tmp_path: Path) -> None:
    page = "<!-- results: bundle/second -->\n<!-- end -->\n\nIt has <!-- = bundle/second/ours/PSNR -->1<!-- --> dB.\n"
    text = fill(tmp_path, page)
    assert "| ours | **31.46** ± 1.00 |\n| theirs | **30.00** |\n" in text
    assert text.endswith("It has <!-- = bundle/second/ours/PSNR -->31.46 ± 1.00<!-- --> dB.\n")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (
            "<!-- results: bundle/third -->\n<!-- end -->",
            "no table bundle/third in results.yaml, which has bundle/first",
        ),
        ("<!-- results: bundle/first columns=MSE -->\n<!-- end -->", "bundle/first has no 'MSE', but PSNR; SSIM"),
        ("<!-- results: bundle/first rows=his -->\n<!-- end -->", "bundle/first has no 'his', but nets/ours; theirs"),
        ("a <!-- = bundle/first/ours/PSNR -->1<!-- -->", "bundle/first/ours/PSNR names 0 cells"),
        ("a <!-- = bundle/third/ours/PSNR -->1<!-- -->", "bundle/third/ours/PSNR names 0 cells"),
        ("a\n<!-- = bundle/second/ours/PSNR -->1<!-- -->", "begins a line"),
        ("a <!-- = bundle/second/ours/PSNR -->1\n<!-- -->", "= bundle/second/ours/PSNR --: not ended"),
        ("<!-- results: bundle/first -->\n|1|\n", "results: bundle/first --: not ended"),
        ("<!-- results: bundle/first -->\n<!-- results: bundle/second -->\n<!-- end -->", "second --: not ended, or"),
    ],
)
def test_marks_that_lead_nowhere_are_told(page: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=re.escape(told)):
        fill(tmp_path, page)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('"0.9"]', "0.9]"), "is not of 3 cells in quotation marks"),
        ((', "0.9"]', "]"), "is not of 3 cells in quotation marks"),
        (('"SSIM"', '"**PSNR**"'), "two rows or columns have one name"),
        (("theirs, before", "nets/ours"), "two rows or columns have one name"),
        (("data: two cases", "data:"), "bundle/first has no `data`"),
        (("  second:", "  first:"), "line 3: `first` stands twice below it"),
        (("= bundle/first/nets/ours/PSNR", "= bundle/second/ours/PSNR"), "bundle/second/ours/PSNR refers to itself"),
    ],
)
def test_files_with_slips_are_told(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=re.escape(told)):
        fill(tmp_path, "<!-- results: bundle/second -->\n<!-- end -->", FILE.replace(*change, 1))


def test_the_script_writes_what_it_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path, "<!-- results: bundle/second -->\n<!-- end -->\n")
    names: dict[str, Any] = SCRIPT["main"].__globals__
    monkeypatch.setitem(names, "ROOT", tmp_path)
    monkeypatch.setitem(names, "Results", lambda: SCRIPT["Results"](tmp_path / "results.yaml"))
    monkeypatch.setitem(names, "pages", lambda: [tmp_path / "docs" / "page.md"])
    assert [SCRIPT["main"](arguments) for arguments in (["--check"], [], ["--check"])] == [1, 0, 0]
    assert capsys.readouterr().out == "docs/page.md: differs\ndocs/page.md: filled\n"
    (tmp_path / "docs" / "page.md").write_text("<!-- results: bundle/none -->\n<!-- end -->\n")
    assert SCRIPT["main"]([]) == 2
    assert capsys.readouterr().err.startswith("Error: docs/page.md: no table bundle/none in results.yaml")

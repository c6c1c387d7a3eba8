"""Tests of scripts.reports.table."""

import math
from pathlib import Path

from mri_attention.scripts.reports.table import Table


def test_a_tsv_has_tabs_and_tells_what_is_undefined(tmp_path: Path) -> None:
    Table(["name", "value"], [["a", 1.5], ["b", math.nan], ["c", None]]).write_tsv(tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_bytes() == b"name\tvalue\na\t1.5\nb\tn/a\nc\tn/a\n"

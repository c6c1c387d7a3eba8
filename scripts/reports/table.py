"""A table as CSV or TSV, as Markdown, and as text for HTML and the terminal."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """A header and rows of values, a text column first and number columns after it."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""

    @property
    def texts(self) -> list[list[str]]:
        """The rows as people read them: floats with six digits, what is undefined (None or NaN) empty."""
        return [[_text(value) for value in row] for row in self.rows]

    def markdown(self) -> str:
        """Return the table in Markdown, its first column to the left and the others, of numbers, to the right."""
        lines = [self.header, ["---", *["---:"] * (len(self.header) - 1)], *self.texts]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def write_csv(self, path: Path) -> None:
        """Write the table as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([self.header, *self.texts])

    def write_tsv(self, path: Path) -> None:
        """Write the table as BIDS wants it: with tabs between, and ``n/a`` for what is undefined."""
        lines = ["\t".join(cell or "n/a" for cell in line) for line in [self.header, *self.texts]]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)

"""Fill the numbers of the pages from docs/results.yaml, the one file of measured results.

    python docs/fill_results.py            writes them into the pages
    python docs/fill_results.py --check    names the pages that differ, writes nothing, and exits with 1

A table stands in a page between ``<!-- results: BUNDLE/TABLE -->`` and ``<!-- end -->``; `` columns=DSC;L-F1`` and
`` rows=sub-07;mean`` (in this order, parted by semicolons) choose some of it, and the first column stands always.
A number in a sentence stands as ``<!-- = BUNDLE/TABLE/ROW/COLUMN -->0.424<!-- -->``, not at the beginning of a line.
Rows are named by their first cell, columns by the header, without asterisks, backticks and links.
A cell ``= BUNDLE/TABLE/ROW/COLUMN`` is that of the other table, ``**= ...**`` the same in bold. Links in cells start at
the root of the repository.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "results.yaml"
PATTERNS = ("README.md", "docs/**/*.md", "bundles/*/docs/README.md")
TABLE = re.compile(r"^<!-- results: (\S+?)(?: columns=(.*?))?(?: rows=(.*?))? -->\n(.*?)^<!-- end -->$", re.M | re.S)
NUMBER = re.compile(r"<!-- = (.+?) -->(.*?)<!-- -->")
OPENED = re.compile(r"<!-- (?:results:|= )[^>]*")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#]+)")
Table = list[list[str]]


class ResultsError(ValueError):
    """What is wrong with the file of results or with a mark in a page, in one line."""


class UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice, of which plain YAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of ``node``, whose keys differ."""
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise ResultsError(f"results.yaml: line {node.start_mark.line + 1}: `{key}` stands twice below it")
        return super().construct_mapping(node, deep)


class Results:
    """The tables of a file of results by ``BUNDLE/TABLE``."""

    def __init__(self, file: Path = FILE) -> None:
        content = yaml.load(file.read_text(encoding="utf-8"), UniqueKeys)
        self.accounts = {
            f"{bundle}/{name}": table for bundle, tables in content.items() for name, table in tables.items()
        }
        self.rows: dict[str, Table] = {}
        for name, account in self.accounts.items():
            self.rows[name] = checked(name, account)

    def table(self, name: str) -> Table:
        """Return the rows of the table ``name``, whose cells refer to nothing."""
        if name not in self.rows:
            raise ResultsError(f"no table {name} in results.yaml, which has {', '.join(self.rows)}")
        return [[self.resolved(cell, ()) for cell in row] for row in self.rows[name]]

    def resolved(self, cell: str, passed: tuple[str, ...]) -> str:
        """Return ``cell``, or that to which it refers, as it is printed there or, between asterisks, bold."""
        reference = re.fullmatch(r"(\**)= *(.*?)\**", cell)
        if not reference:
            return cell
        value = self.cell(reference[2], passed)
        return f"**{plain(value)}**" if reference[1] else value

    def cell(self, reference: str, passed: tuple[str, ...] = ()) -> str:
        """Return the cell at ``BUNDLE/TABLE/ROW/COLUMN``; rows and columns may have slashes in their names."""
        if reference in passed:
            raise ResultsError(f"{reference} refers to itself")
        bundle, _, rest = reference.partition("/")
        name, _, place = rest.partition("/")
        rows = self.rows.get(f"{bundle}/{name}", [[]])
        found = [
            row[column]
            for row in rows[1:]
            for column, header in enumerate(rows[0])
            if column and place == f"{plain(row[0])}/{plain(header)}"
        ]
        if len(found) != 1:
            raise ResultsError(f"{reference} names {len(found)} cells of results.yaml, not one")
        return self.resolved(found[0], (*passed, reference))

    def part(self, name: str, columns: str | None, rows: str | None) -> Table:
        """Return the table ``name`` with the rows and columns that are named, in the order in which they are named."""
        table = self.table(name)
        chosen = [0, *positions(name, table[0], columns, 1)]
        below = positions(name, [row[0] for row in table], rows, 1)
        return [[table[row][column] for column in chosen] for row in (0, *below)]


def checked(name: str, account: dict[str, Any]) -> Table:
    """Return the rows of a table: strings in equal number, with names of rows and of columns that differ."""
    for key in ("data", "command", "rows"):
        if not account.get(key):
            raise ResultsError(f"results.yaml: {name} has no `{key}`")
    rows: Table = account["rows"]
    for row in rows:
        if len(row) != len(rows[0]) or not all(isinstance(cell, str) for cell in row):
            raise ResultsError(f"results.yaml: {name}: {row} is not of {len(rows[0])} cells in quotation marks")
    for names in ([row[0] for row in rows[1:]], rows[0][1:]):
        if len(set(map(plain, names))) < len(names):
            raise ResultsError(f"results.yaml: {name}: two rows or columns have one name: {', '.join(names)}")
    return rows


def plain(cell: str) -> str:
    """Return ``cell`` without emphasis, backticks and the target of a link: what names a row or a column."""
    return re.sub(r"\[(.*?)\]\(.*?\)", r"\1", cell).replace("*", "").replace("`", "").strip()


def positions(name: str, cells: Sequence[str], wanted: str | None, first: int) -> list[int]:
    """Return where the names that ``wanted`` lists stand among ``cells``, or all from ``first`` on."""
    there = [plain(cell) for cell in cells]
    if wanted is None:
        return list(range(first, len(cells)))
    for each in wanted.split(";"):
        if each.strip() not in there[first:]:
            raise ResultsError(f"{name} has no {each.strip()!r}, but {'; '.join(there[first:])}")
    return [there.index(each.strip(), first) for each in wanted.split(";")]


def markdown(table: Table, page: Path, root: Path = ROOT) -> str:
    """Return ``table`` as lines of Markdown, with links as ``page`` needs them."""
    lines = ["| " + " | ".join(row) + " |" for row in (table[0], *table[1:])]
    lines.insert(1, "|" + "---|" * len(table[0]))
    text = "\n".join(re.sub(r" +\|", " |", line).replace("|  |", "| |") for line in lines)
    return LINK.sub(lambda link: "](" + Path(os.path.relpath(root / link[1], page.parent)).as_posix(), text)


def filled(page: Path, results: Results, root: Path = ROOT) -> str:
    """Return the text of ``page`` with the numbers of ``results``."""
    text = page.read_text(encoding="utf-8")

    def number(match: re.Match[str]) -> str:
        if match.start() == 0 or text[match.start() - 1] == "\n":
            raise ResultsError(f"<!-- = {match[1]} --> begins a line, which ends the paragraph before it: move it")
        return f"<!-- = {match[1]} -->{plain(results.cell(match[1]))}<!-- -->"

    def table(match: re.Match[str]) -> str:
        opening = match[0].partition("\n")[0]
        return f"{opening}\n\n{markdown(results.part(match[1], match[2], match[3]), page, root)}\n\n<!-- end -->"

    marked = [match.span() for pattern in (NUMBER, TABLE) for match in pattern.finditer(text)]
    for opened in OPENED.finditer(text):
        if sum(start <= opened.start() < end for start, end in marked) != 1 or opened.start() not in dict(marked):
            raise ResultsError(f"{opened[0].strip()}: not ended, or ended twice (by <!-- end --> and <!-- -->)")
    return TABLE.sub(table, NUMBER.sub(number, text))


def pages(root: Path = ROOT) -> Iterator[Path]:
    """Yield the pages that have numbers."""
    for pattern in PATTERNS:
        yield from sorted(root.glob(pattern))


def main(arguments: Sequence[str]) -> int:
    """Fill the pages, or compare them with the file; return the exit code."""
    differing = []
    try:
        results = Results()
        for page in pages():
            try:
                text = filled(page, results)
            except ResultsError as error:
                raise ResultsError(f"{page.relative_to(ROOT)}: {error}") from None
            if text != page.read_text(encoding="utf-8"):
                differing.append(page)
                if "--check" not in arguments:
                    page.write_text(text, encoding="utf-8")
    except ResultsError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    for page in differing:
        sys.stdout.write(f"{page.relative_to(ROOT)}: {'differs' if '--check' in arguments else 'filled'}\n")
    return int(bool(differing) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

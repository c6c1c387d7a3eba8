"""An HTML report in one file, its pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .table import Table

MAX_PICTURES = 4
"""Cases that a section shows."""


@dataclass(frozen=True)
class Picture:
    """A PNG picture and the words below it; ``alternative`` tells who cannot see it what it shows."""

    png: bytes
    caption: str = ""
    alternative: str = ""

    @property
    def source(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, tables, links (text and address) and pictures in this order."""

    title: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A title, facts (name and value) on what was run, and sections."""

    title: str
    facts: dict[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()


def shown_cases(n_cases: int) -> str:
    """Return a sentence on how many of the cases a section shows; empty where it shows all."""
    return f" The first {MAX_PICTURES} of {n_cases} cases are shown." if n_cases > MAX_PICTURES else ""


def write_report(report: Report, path: Path) -> None:
    """Write ``report`` to ``path`` as HTML that needs no other file and no network."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(report=report)
    path.write_text(html, encoding="utf-8")

"""What the tests of the pages share: links, headings and their names."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bundles/*/docs/*.md")])

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
"""The target of a link to a file and the place in it."""


def anchor(heading: str) -> str:
    """Name a heading as GitHub does."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the names of the headings of ``page``."""
    return {anchor(line.lstrip("#")) for line in page.read_text().splitlines() if line[:1] == "#"}


def linked(page: Path) -> set[Path]:
    """Return the files that ``page`` leads to."""
    return {(page.parent / target).resolve() for target, _ in LINK.findall(page.read_text()) if target}


def prose(text: str) -> str:
    """Return ``text`` without code blocks, tables, comments, targets of links and emphasis: what a person reads."""
    for pattern in (r"^```.*?^```", r"<!--.*?-->", r"^\|[^\n]*", r"(?<=\])\(\S+?\)", r"[#*`]"):
        text = re.sub(pattern, "", text, flags=re.MULTILINE | re.DOTALL)
    return text

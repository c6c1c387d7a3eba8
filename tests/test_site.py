"""The site of the documentation: builds without a warning, shows what the pages say, and fetches nothing."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.markdown import PAGES

ROOT = Path(__file__).resolve().parents[1]
COUNTED = {"table_open": "table", "list_item_open": "li", "fence": "pre", "image": "img", "heading_open": "h"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not all(importlib.util.find_spec(name) for name in ("material", "mkdocstrings")):
        pytest.skip("MkDocs is not installed: pip install -e '.[docs]', as scripts/docs and scripts/test --all do")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"NO_MKDOCS_2_WARNING": "true"})
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def html_of(page: Path, site: Path) -> Path:
    path = site / page.relative_to(ROOT)
    return path.with_name("index.html") if page.name == "README.md" else path.with_suffix(".html")


class Article(HTMLParser):
    """Counts the elements of the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.inside = self.inside or tag == "article"
        self.found[re.sub(r"h\d", "h", tag)] += self.inside

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "article"


@pytest.mark.slow
def test_every_page_is_shown_with_all_of_its_parts(site: Path) -> None:
    """GitHub and MkDocs read Markdown by different rules: a list or a table of the one is a paragraph of the other."""
    differing = {}
    for page in PAGES:
        tokens = [
            t
            for token in MarkdownIt().enable("table").parse(page.read_text())
            for t in (token, *(token.children or ()))
        ]
        expected = Counter(COUNTED[token.type] for token in tokens if token.type in COUNTED)
        found = Article(html_of(page, site).read_text()).found
        parts = {part: (expected[part], found[part]) for part in COUNTED.values() if expected[part] != found[part]}
        if parts:
            differing[str(page.relative_to(ROOT))] = parts
    assert differing == {}


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    loaded = re.compile(
        r"<(?:script|img|iframe|source)[^>]+src=\"?(?:https?:)?//|<link[^>]+rel=\"?(?:stylesheet|preconnect)\"?[^>]+//"
    )
    assert [str(page) for page in pages if loaded.search(page.read_text())] == []
    styles = [
        style for style in site.rglob("*.css") if re.search(r"@import|url\([\"']?(?:https?:)?//", style.read_text())
    ]
    assert styles == []


@pytest.mark.slow
def test_names_and_pages_are_found_by_the_search(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    titles = {entry["location"]: entry["title"] for entry in index["docs"]}
    assert "reference/networks.blocks.html#mri_attention.networks.blocks.FoldedAttention" in titles
    assert titles["docs/limits.html"] == "Intended use and limits"
    assert (site / "search" / "search_index.js").read_text().startswith("var __index = ")


@pytest.mark.slow
def test_every_public_name_has_its_place_in_the_reference(site: Path) -> None:
    rooms = [file for file in ROOT.glob("networks/*/__init__.py") if "__all__" in file.read_text()]
    assert rooms
    for file in rooms:
        package = ".".join(file.parent.relative_to(ROOT).parts)
        page = (site / "reference" / f"{package}.html").read_text()
        (names,) = re.findall(r"__all__ = \[(.*?)\]", file.read_text(), re.DOTALL)
        missing = [
            name for name in re.findall(r"\"(\w+)\"", names) if f'id="mri_attention.{package}.{name}"' not in page
        ]
        assert missing == []

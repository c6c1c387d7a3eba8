"""Tests of the tutorials: notebooks are their sources with outputs, small and of no machine; they run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("jupytext")

DOCS = Path(__file__).resolve().parents[1] / "docs"
SOURCES = sorted((DOCS / "tutorials").glob("*.py"))
MAX_BYTES = 300_000

each_tutorial = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def make_tutorials() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tutorials", DOCS / "make_tutorials.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert SOURCES
    assert [source.stem for source in SOURCES if f"](tutorials/{source.stem}.ipynb)" not in index] == []


@each_tutorial
def test_the_notebook_is_its_source_with_outputs(source: Path) -> None:
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    expected = make_tutorials().read(source)
    assert [(c.cell_type, c.source) for c in notebook.cells] == [(c.cell_type, c.source) for c in expected.cells]
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error"]


@each_tutorial
def test_the_notebook_is_small_and_of_no_machine(source: Path) -> None:
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert len(text.encode()) < MAX_BYTES
    assert not re.search(r"/home/|/root/|/tmp/|/Users/|site-packages|Traceback", text)


@each_tutorial
def test_links_lead_somewhere(source: Path) -> None:
    cells = [cell.source for cell in make_tutorials().read(source).cells if cell.cell_type == "markdown"]
    links = re.findall(r"\]\((?!\w+:)([^)#\s]+)", "\n".join(cells))
    assert links
    assert [link for link in links if not (source.parent / link).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@each_tutorial
def test_the_tutorial_runs(source: Path, tmp_path: Path) -> None:
    notebook = make_tutorials().executed(source, tmp_path)
    texts = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    assert "".join(texts)
    assert not re.search(r"^(Error|usage):", "".join(texts), re.MULTILINE | re.IGNORECASE)

"""Give MkDocs the pages of the site, where they lie in the repository, and an API reference by room.

Pages keep their paths, so that links lead to the same places on the site and in the repository. The groups of the
navigation are the sections of docs/README.md, in which each page has to stand (``mkdocs build --strict`` says which
does not). Notebooks become pages, with their outputs. Each package with public names has a page of the reference.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/**/*.md",
    "docs/**/*.png",
    "docs/*.yaml",
    "bundles/*/docs/*.*",
)
ROOMS = ("operators", "networks", "losses", "metrics", "transforms", "handlers", "datasets", "simulation")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+\.(?:md|ipynb))\)")


def on_startup(**_: object) -> None:
    """Lay the rooms out as the package that they are when installed, before its names are looked up."""
    packages = ROOT / "build" / "reference" / "mri_attention"
    packages.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        if not (packages / room).exists():
            (packages / room).symlink_to(ROOT / room)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the groups of pages."""
    start = {"Start": ["README.md", "docs/README.md"]}
    config.nav = [start, *groups(ROOT / "docs" / "README.md"), {"API": [page for page, _ in reference()]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository and of the reference to those of the theme."""
    for pattern in PATTERNS:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith("docs/site/"):
                files.append(File.generated(config, name, abs_src_path=str(path)))
    for path in sorted(ROOT.glob("docs/tutorials/*.ipynb")):
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
        files.append(File.generated(config, name.replace(".ipynb", ".md"), content=notebook(path)))
    for page, content in reference():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead from page to page to the page that is made of a notebook, and not to its file."""
    return re.sub(r"(\]\((?!\w+:)[^)#\s]+)\.ipynb\)", r"\1.md)", markdown)


def notebook(path: Path) -> str:
    """Return a notebook as Markdown, with what its cells printed and drew."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [text for output in cell.get("outputs", ()) for text in shown(output)]
    heading, _, rest = "\n\n".join(parts).partition("\n")
    return f'{heading}\n\n*A notebook: <a href="{path.name}" download>download it</a>.*\n{rest}\n'


def shown(output: dict[str, Any]) -> Iterator[str]:
    """Yield an output of a cell: what it printed as it is, or its picture, or else its text."""
    data = output.get("data", {})
    if "image/png" in data:
        yield f'<img alt="" src="data:image/png;base64,{"".join(data["image/png"]).replace(chr(10), "")}">'
    elif text := "".join(output.get("text", data.get("text/plain", ()))).strip("\n"):
        yield f"```text\n{text}\n```"


def groups(index: Path) -> list[dict[str, list[str]]]:
    """Return the sections of ``index`` by their headings, with the pages that they link."""
    named = {}
    for section in index.read_text(encoding="utf-8").split("\n## ")[1:]:
        targets = [target.replace(".ipynb", ".md") for target in LINK.findall(section)]
        pages = [(index.parent / target).resolve().relative_to(ROOT).as_posix() for target in targets]
        named[section.partition("\n")[0]] = list(dict.fromkeys(pages))
    return [{heading: pages} for heading, pages in named.items()]


def reference() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page of the reference: one for each package with public names."""
    for room in ROOMS:
        for folder in sorted({file.parent for file in (ROOT / room).rglob("__init__.py")}):
            package = ".".join(folder.relative_to(ROOT).parts)
            names = public_names(folder)
            if names:
                entries = "\n\n".join(f"::: mri_attention.{name}" for name in names)
                yield f"reference/{package}.md", f"# {package}\n\n`mri_attention.{package}`\n\n{entries}\n"


def public_names(folder: Path) -> list[str]:
    """Return what ``__all__`` of a package names, or else its modules with public names of their own."""
    package = ".".join(folder.relative_to(ROOT).parts)
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [f"{package}.{name}" for name in ast.literal_eval(node.value)]
    modules = [file for file in sorted(folder.glob("*.py")) if file.stem != "__init__"]
    return [f"{package}.{file.stem}" for file in modules]

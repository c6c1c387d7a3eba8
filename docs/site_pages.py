"""Give MkDocs the pages of the site, where they lie in the repository, and an API reference by room.

Pages keep their paths, so that links lead to the same places on the site and in the repository. The groups of the
navigation are the sections of docs/README.md, in which each page has to stand (``mkdocs build --strict`` says which
does not). Each package with public names has a page of the reference.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", "docs/**/*.png", "bundles/*/docs/*.*")
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
    for page, content in reference():
        files.append(File.generated(config, page, content=content))
    return files


def groups(index: Path) -> list[dict[str, list[str]]]:
    """Return the sections of ``index`` by their headings, with the pages that they link."""
    named = {}
    for section in index.read_text(encoding="utf-8").split("\n## ")[1:]:
        pages = [(index.parent / target).resolve().relative_to(ROOT).as_posix() for target in LINK.findall(section)]
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

"""The part of a package that given names reach, found by following imports without running them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

LINE_LENGTH = 120
"""Of the model zoo's settings."""


class ReachedCode:
    """Modules, re-exports and third-party packages behind the names that :meth:`follow` was given.

    Relative imports are followed to the module that defines the name, through the ``__init__.py`` of its package;
    of such a file nothing but the needed re-exports is kept. Imports for type checkers only do not count.

    Args:
        root: folder of the package.

    Attributes:
        modules: dotted names below the package, such as ``networks.nets.fanet``.
        exports: for each package the names that its ``__init__.py`` re-exports.
        required: top-level names of third-party packages imported by these modules.
        optional: the same, imported inside functions only.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: set[str] = set()
        self.exports: dict[str, set[str]] = {"": set()}
        self.required: set[str] = set()
        self._in_functions: set[str] = set()

    @property
    def optional(self) -> set[str]:
        """Top-level names of third-party packages imported inside functions only."""
        return self._in_functions - self.required

    def follow(self, name: str) -> None:
        """Follow a dotted name below the package, such as ``networks.nets.FANet``.

        Raises:
            ModuleNotFoundError: if the package has nothing of that name.
        """
        parts = name.split(".")
        lengths = (n for n in range(len(parts), 0, -1) if self._file(".".join(parts[:n])))
        length = next(lengths, 0)
        if not length:
            raise ModuleNotFoundError(f"{self.root.name} has no module {name}", name=name)
        self._follow(".".join(parts[:length]), parts[length] if length < len(parts) else None)

    def files(self) -> dict[str, str]:
        """Return the text of each file by its path below the package, ``__init__.py`` reduced to what is needed."""
        texts = {str(self._path(module)): self._text(module) for module in self.modules}
        for package in self.exports:
            texts.setdefault(str(Path(*package.split("."), "__init__.py")), self._reduced_init(package))
        return dict(sorted(texts.items()))

    def _follow(self, module: str, name: str | None) -> None:
        self._add_packages(module)
        sources = self._reexports(module) if self._is_package(module) else {}
        if name and name not in sources and self._is_package(module) and self._file(f"{module}.{name}"):
            return self._follow(f"{module}.{name}", None)
        names = [name] if name in sources else sources if name is None else ()
        for exported in names:
            self._export(module, exported, *sources[exported])
        if not names:
            self._add_module(module)
        return None

    def _export(self, package: str, exported: str, module: str, name: str) -> None:
        if exported not in self.exports[package]:
            self.exports[package].add(exported)
            self._follow(module, name)

    def _add_packages(self, module: str) -> None:
        parts = module.split(".")
        for n in range(1, len(parts) + self._is_package(module)):
            self.exports.setdefault(".".join(parts[:n]), set())

    def _add_module(self, module: str) -> None:
        if module in self.modules:
            return
        self.modules.add(module)
        for statement, is_inside in _imports(ast.parse(self._text(module))):
            if isinstance(statement, ast.ImportFrom) and statement.level:
                for alias in statement.names:
                    self._follow(self._absolute(module, statement), alias.name)
            else:
                (self._in_functions if is_inside else self.required).update(_third_party(statement))

    def _reexports(self, package: str) -> dict[str, tuple[str, str]]:
        """Return module and name behind each name that the package's ``__init__.py`` imports."""
        return {
            alias.asname or alias.name: (self._absolute(package, node), alias.name)
            for node in ast.parse(self._text(package)).body
            if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names
        }

    def _reduced_init(self, package: str) -> str:
        names = self.exports[package]
        tree = ast.parse(self._text(package)) if package else ast.Module([], [])
        lines = [f'"""{text}"""\n'] if (text := ast.get_docstring(tree)) else []
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                node.names = [alias for alias in node.names if (alias.asname or alias.name) in names]
                opening = ast.unparse(ast.ImportFrom(node.module, [ast.alias("")], node.level))
                lines += [_in_lines(opening, "()", map(ast.unparse, node.names))] if node.names else []
        if names:
            lines += ["", _in_lines("__all__ = ", "[]", (f'"{name}"' for name in sorted(names)))]
        text = "\n".join(lines).strip("\n")
        return f"{text}\n" if text else ""

    def _absolute(self, module: str, statement: ast.ImportFrom) -> str:
        parts = module.split(".")
        parent = parts[: len(parts) - statement.level + self._is_package(module)]
        return ".".join([*parent, *([statement.module] if statement.module else [])])

    def _path(self, module: str) -> Path:
        path = Path(*module.split("."))
        return path / "__init__.py" if (self.root / path).is_dir() else path.with_suffix(".py")

    def _file(self, module: str) -> Path | None:
        file = self.root / self._path(module)
        return file if file.is_file() else None

    def _is_package(self, module: str) -> bool:
        return self._path(module).name == "__init__.py"

    def _text(self, module: str) -> str:
        return (self.root / self._path(module)).read_text(encoding="utf-8")


def _in_lines(opening: str, brackets: str, names: Iterable[str]) -> str:
    """Return a statement as the model zoo's black has it: parentheses where it is more than one line."""
    items = list(names)
    left, right = ("", "") if brackets == "()" else tuple(brackets)
    short = f"{opening}{left}{', '.join(items)}{right}"
    if len(short) <= LINE_LENGTH:
        return short
    inside = f"    {', '.join(items)}"
    if brackets == "()" or len(inside) > LINE_LENGTH:
        inside = "\n".join(f"    {item}," for item in items)
    return f"{opening}{brackets[0]}\n{inside}\n{brackets[1]}"


def _imports(node: ast.AST, *, is_inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield imports that run, and whether they stand inside a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(child, ast.Import | ast.ImportFrom) or _imported_by_name(child):
            yield child, is_inside
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, is_inside=is_inside or is_function)


def _imported_by_name(node: ast.AST) -> str | None:
    """Return the name in ``importlib.import_module("name")``."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "importlib.import_module":
        return None
    return str(node.args[0].value) if node.args and isinstance(node.args[0], ast.Constant) else None


def _third_party(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        modules = [(node.module if isinstance(node, ast.ImportFrom) else _imported_by_name(node)) or ""]
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {""}

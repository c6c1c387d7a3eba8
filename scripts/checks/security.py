"""Checks that read configs, code and weights of a bundle without running anything of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ..running.config_files import list_configs, read_config, walk
from .outcome import Outcome, failed, listed, passed, skipped, told, warned
from .security_report import DANGEROUS, Finding, parse_expression, security_report

CALLS = {"__import__", "compile", "eval", "exec"}
PICKLES = {".pkl", ".pickle", ".joblib", ".dill"}
TORCH_FILES = {".pt", ".pth", ".ckpt", ".bin"}

_ABSOLUTE = re.compile(r"(/(?!/)[\w.-]+|~/|[A-Za-z]:[\\/])")
_PERSONAL = re.compile(r"(?<![\w.])(/home/\w+|/Users/\w+|/workspace/\w+|[A-Za-z]:\\Users\\\w+)")
_URL = re.compile(r"\b(https?|ftp|s3|gs)://", re.IGNORECASE)


def check_expressions(bundle: Path) -> Outcome:
    """Check that expressions and targets keep to what configs need: no programs, no network, no pickles."""
    findings = security_report(bundle)
    for level, say in (("danger", failed), ("look", warned)):
        if bad := [_line(finding) for finding in findings if finding.level == level]:
            return say(listed(bad))
    return passed(f"{len(findings)} expressions and targets keep to the allow-list")


def _line(finding: Finding) -> str:
    return f"{finding.file} {finding.place}: {finding.reason}"


def check_code(bundle: Path) -> Outcome:
    """Check whether the bundle brings code, and what that imports."""
    files = list(bundle.rglob("*.py"))
    if not files:
        return passed("the bundle brings no code of its own")
    found = _code_findings(bundle)
    return warned(listed(found)) if found else passed(f"{len(files)} files run no programs and use no network")


def _code_findings(bundle: Path) -> list[str]:
    """Tell, file by file, what Python code imports or calls that runs code or programs, or uses the network."""
    found = []
    for file in sorted(bundle.rglob("*.py")):
        words = {word for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) for word in _words(node)}
        found += [f"{file.relative_to(bundle)} uses {word}" for word in sorted(words & (DANGEROUS | CALLS))]
    return found


def _words(node: ast.AST) -> list[str]:
    """Return modules that ``node`` imports, or the function that it calls."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [str(node.module).partition(".")[0]]
    return [node.func.id] if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else []


def check_pickles(bundle: Path) -> Outcome:
    """Check that no file of weights runs code when it is read."""
    from torch.serialization import get_unsafe_globals_in_checkpoint

    problems = [f"{p.relative_to(bundle)} is a pickle" for p in sorted(bundle.rglob("*")) if p.suffix in PICKLES]
    files = sorted(p for p in bundle.rglob("*") if p.suffix in TORCH_FILES and p.is_file())
    doubts: list[str] = []
    for file in files:
        name = file.relative_to(bundle)
        try:
            unsafe = get_unsafe_globals_in_checkpoint(file)
        except Exception as error:
            problems.append(f"{name} cannot be read as weights ({str(error).splitlines()[0]})")
        else:
            found = [f"{name} would call {', '.join(unsafe)}"] if unsafe else []
            (doubts if all(map(_is_numpy, unsafe)) else problems).extend(found)
    if not files and not problems:
        return skipped("no weights")
    if doubts and not problems:
        return warned(f"{listed(doubts)}: arrays, which torch.load(weights_only=True) refuses")
    return told(problems, f"{', '.join(str(file.relative_to(bundle)) for file in files)}: tensors only")


def _is_numpy(name: str) -> bool:
    return name.startswith(("numpy.core.multiarray", "numpy._core.multiarray", "numpy.ndarray", "numpy.dtype"))


def check_paths(bundle: Path) -> Outcome:
    """Check that configs name no absolute paths, and the readme no personal ones."""
    texts = [(place, literal) for place, text in _texts(bundle) for literal in _literals(text)]
    problems = [f"{place}: {text}" for place, text in texts if _ABSOLUTE.match(text)]
    readme = bundle / "docs" / "README.md"
    if readme.is_file():
        problems += [f"docs/README.md: {found[0]}" for found in _PERSONAL.finditer(readme.read_text(encoding="utf-8"))]
    if problems:
        return warned(f"others do not have {listed(problems)}")
    return passed("no absolute paths in configs, no personal ones in the readme")


def check_network_access(bundle: Path) -> Outcome:
    """Check that no config names an address on the network."""
    problems = [f"{place}: {text}" for place, text in _texts(bundle) if _URL.search(text)]
    return told(problems, "no addresses in configs")


def _texts(bundle: Path) -> Iterator[tuple[str, str]]:
    """Yield place and text of each string in configs."""
    for file in list_configs(bundle):
        for place, text in walk(read_config(file)):
            if isinstance(text, str):
                yield f"{file.relative_to(bundle)} {place}", text


def _literals(text: str) -> list[str]:
    """Return ``text``, or if it is an expression the strings in it that are not appended to another."""
    if not text.startswith("$"):
        return [text.removeprefix("%")]
    try:
        tree = parse_expression(text[1:])
    except SyntaxError:
        return []  # told by the check of expressions
    appended = {id(node.right) for node in ast.walk(tree) if isinstance(node, ast.BinOp)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            appended |= {id(value) for value in node.values[1:]}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in appended)
    return [node.value for node in constants if isinstance(node.value, str)]

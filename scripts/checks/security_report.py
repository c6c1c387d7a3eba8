"""What the expressions and targets of a config would do, told without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..running.config_files import expressions, list_configs, read_config, targets

Level = Literal["allowed", "look", "danger"]

ALLOWED = {"monai", "torch", "ignite", "numpy", "np", "pathlib", "math", "mri_attention", "scripts"}

DANGEROUS = frozenset(
    {
        *("builtins", "codeop", "cProfile", "ctypes", "importlib", "pip", "pty", "pydoc", "runpy", "subprocess"),
        *("ftplib", "http", "paramiko", "requests", "smtplib", "socket", "telnetlib", "urllib", "webbrowser"),
        *("dill", "joblib", "marshal", "pickle", "shelve", "shutil"),
    }
)
"""Modules that run code or programs, reach the network, read pickles or remove files."""

SYSTEM = ("os", "sys")
BUILTINS = {
    *("__import__", "breakpoint", "compile", "eval", "exec", "input"),
    *("delattr", "getattr", "globals", "locals", "setattr", "vars"),
}
PROGRAMS = {
    *("cpp_extension", "f2py", "hub", "load_library"),
    *("popen", "posix_spawn", "spawnl", "spawnv", "startfile", "system"),
}
FILES = {
    *("fromfile", "memmap", "open", "read_bytes", "read_text"),
    *("makedirs", "mkdir", "save", "savetxt", "symlink_to", "tofile", "touch", "write_bytes", "write_text"),
    *("remove", "rename", "rmdir", "rmtree", "unlink"),
}
_BACKEND = re.compile(r"setattr\(torch\.backends(\.\w+)+, *(['\"])\w+\2, *(True|False|\d+)\)")
_REFERENCE = re.compile(r"@(?:#|::)*\w+(?:(?:::|#)\w+)*")


@dataclass(frozen=True)
class Finding:
    """An expression or target, and what is to be said of it.

    Attributes:
        file: config, relative to the bundle.
        place: id in it.
        text: as it stands there.
        level: ``look`` where a person should, ``danger`` where it should not be run.
        reason: why; empty where it is allowed.
    """

    file: str
    place: str
    text: str
    level: Level
    reason: str


def security_report(bundle: Path) -> list[Finding]:
    """Judge each ``$`` expression and ``_target_`` of all configs of ``bundle``; nothing is run."""
    return [finding for file in list_configs(bundle) for finding in _judge(str(file.relative_to(bundle)), file)]


def _judge(name: str, file: Path) -> Iterator[Finding]:
    content = read_config(file)
    for place, text in targets(content):
        if not text.startswith("$"):
            yield Finding(name, place, text, *_worst(judge_target(text)))
    for place, text in expressions(content):
        yield Finding(name, place, f"${text}", *_worst(judge_expression(text)))


def _worst(reasons: list[tuple[Level, str]]) -> tuple[Level, str]:
    level: Level = next((level for level in ("danger", "look") if level in dict(reasons)), "allowed")
    return level, ", ".join(dict.fromkeys(reason for given, reason in reasons if given == level))


def judge_target(name: str) -> list[tuple[Level, str]]:
    """Judge what MONAI would import and call for ``_target_: name``."""
    if name.startswith(("@", "%")):
        return [("look", "is chosen by another item")]
    if "." not in name:
        return []  # a class of MONAI
    module, *words = name.split(".")
    reasons = _judge_import(module) + _judge_words(words)
    if module in SYSTEM and words[0] not in ("", "path", "environ", "getenv"):
        reasons.append(("danger", f"uses {name}"))
    return reasons + [("danger", f"reaches {word}") for word in words if word in SYSTEM]


def parse_expression(text: str) -> ast.Module:
    """Return the syntax tree of an expression, without its ``$``; references became the name ``_reference_``.

    Raises:
        SyntaxError: if it is not Python.
    """
    return ast.parse(_REFERENCE.sub("_reference_", text).strip())


def judge_expression(text: str) -> list[tuple[Level, str]]:
    """Judge an expression, without its ``$``."""
    try:
        tree = parse_expression(text)
    except SyntaxError as error:
        return [("danger", f"cannot be parsed ({error.msg})")]
    if _BACKEND.fullmatch(text.strip()):
        return []  # sets a flag of torch, as the zoo's configs do
    if text.strip().replace('"', "'") in ("sys.path.insert(0, @bundle_root)", "sys.path.append(@bundle_root)"):
        return []  # makes the bundle's own code known
    return [reason for node in ast.walk(tree) for reason in _judge_node(node)]


def _judge_node(node: ast.AST) -> list[tuple[Level, str]]:
    if isinstance(node, ast.Import):
        return [r for alias in node.names for r in judge_target(f"{alias.name}.")]
    if isinstance(node, ast.ImportFrom):
        return [r for alias in node.names for r in judge_target(f"{node.module}.{alias.name}")]
    if isinstance(node, ast.Name) and node.id in BUILTINS:
        return [("danger", f"uses {node.id}")]
    if isinstance(node, ast.Name):
        return _judge_words([node.id])
    if isinstance(node, ast.Attribute):
        return _judge_attribute(node)
    return _judge_call(node) if isinstance(node, ast.Call) else []


def _judge_attribute(node: ast.Attribute) -> list[tuple[Level, str]]:
    name = ast.unparse(node)
    if name.startswith("os.path"):
        return []
    if name in ("os.environ", "os.getenv", "sys.path"):
        return [("look", f"uses {name}")]
    if isinstance(node.value, ast.Name) and node.value.id in SYSTEM:
        return [("danger", f"uses {name}")]
    return [("danger", f"reaches {node.attr}")] if node.attr in SYSTEM else _judge_words([node.attr])


def _judge_call(node: ast.Call) -> list[tuple[Level, str]]:
    """Judge calls that load pickles."""
    name = ast.unparse(node.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if given.get("allow_pickle") == "True" or given.get("weights_only") == "False":
        return [("danger", f"{name} reads pickles")]
    if name == "torch.load" and "weights_only" not in given:
        return [("look", "torch.load without weights_only=True")]
    return []


def _judge_import(module: str) -> list[tuple[Level, str]]:
    if module in DANGEROUS:
        return [("danger", f"imports {module}")]
    return [] if module in (*ALLOWED, "sys") else [("look", f"imports {module}")]


def _judge_words(words: list[str]) -> list[tuple[Level, str]]:
    """Judge the parts of a dotted name after its first."""
    reasons: list[tuple[Level, str]] = []
    for word in words:
        if word in DANGEROUS | PROGRAMS or (word.startswith("__") and word != "__version__"):
            reasons.append(("danger", f"reaches {word}"))
        elif word.startswith("download"):
            reasons.append(("danger", f"{word} uses the network"))
        elif word in FILES:
            reasons.append(("look", f"{word} uses files"))
    return reasons


def free_names(tree: ast.AST) -> set[str]:
    """Return names that an expression uses and does not bind itself."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return {node.id for node in names} - bound

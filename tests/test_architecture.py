"""The rooms of the house, beyond what import-linter checks by the contracts in pyproject.toml."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = PYPROJECT["importlinter"]["contracts"]


def named(contract: dict[str, Any]) -> set[str]:
    """Return the modules that a contract names, without the project's name."""
    lines = " ".join([*contract.get("layers", ()), *contract.get("ancestors", ())])
    return {name.removeprefix("mri_attention.") for name in lines.split() if name not in ":|"}


def test_every_room_and_command_has_its_floor() -> None:
    rooms = {path.parent for path in ROOT.glob("*/__init__.py")} | {
        path.parent for path in ROOT.glob("scripts/*/__init__.py")
    }
    expected = {".".join(room.relative_to(ROOT).parts) for room in rooms} - {"networks", "tests"}
    expected |= {f"networks.{room.parent.name}" for room in ROOT.glob("networks/*/__init__.py")}
    expected |= {f"scripts.{command.stem}" for command in ROOT.glob("scripts/*.py")}
    assert named(CONTRACTS[0]) == expected


def test_circles_are_looked_for_in_every_room() -> None:
    rooms = {name for name in named(CONTRACTS[0]) if (ROOT / name.replace(".", "/")).is_dir()}
    assert {name for name in rooms if not name.startswith("networks.")} | {"networks"} == named(CONTRACTS[1])


def test_operators_know_no_transforms() -> None:
    trees = [ast.parse(file.read_text()) for file in ROOT.glob("operators/**/*.py")]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)]
    names = {getattr(node, "module", None) or alias.name for node in imports for alias in node.names}
    assert "torch" in names
    assert not [name for name in names if name.startswith("monai.transforms")]


def test_scripts_are_no_regular_package() -> None:
    """An exported bundle has a package of that name, which must win where both can be seen."""
    assert not (ROOT / "scripts" / "__init__.py").exists()


def test_texts_name_their_encoding() -> None:
    """Texts are UTF-8 whatever the locale of the user, or of a library that sets it in this process."""
    files = {file for room in ROOT.glob("*/__init__.py") for file in room.parent.rglob("*.py")} - set(
        (ROOT / "tests").rglob("*.py")
    )
    files |= set((ROOT / "scripts").rglob("*.py"))
    calls = [
        (f"{file.relative_to(ROOT)}:{node.lineno}", {word.arg for word in node.keywords})
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"read_text", "write_text"}
    ]
    assert len(calls) > 20
    assert not [place for place, words in calls if "encoding" not in words]

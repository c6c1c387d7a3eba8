"""Tests of scripts.reached_code."""

from pathlib import Path

import pytest

from mri_attention.scripts.exports.reached_code import ReachedCode

FILES = {
    "nets/__init__.py": '"""Networks."""\n\nfrom .big import Big, build\nfrom .small import Small\n',
    "nets/big.py": "import torch\nfrom ..blocks import gate\nfrom ..blocks.norm import Norm\n",
    "nets/small.py": "import pandas\n",
    "blocks/__init__.py": "",
    "blocks/gate.py": (
        "import typing\nimport numpy as np\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import nilearn\n    from ..nets import Small\n"
        "def read():\n    import itk\n    import importlib\n    return importlib.import_module('h5py'), np\n"
    ),
    "blocks/norm.py": "from .gate import read\n",
    "blocks/unused.py": "",
    "tools/__init__.py": "from ..blocks.unused import x\n\nVALUE = 3\n",
}


@pytest.fixture
def code(tmp_path: Path) -> ReachedCode:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return ReachedCode(tmp_path)


def test_follows_imports_and_nothing_more(code: ReachedCode) -> None:
    code.follow("nets.Big")
    assert code.modules == {"nets.big", "blocks.gate", "blocks.norm"}
    assert set(code.files()) == {
        *("__init__.py", "nets/__init__.py", "blocks/__init__.py"),
        *("nets/big.py", "blocks/gate.py", "blocks/norm.py"),
    }


def test_packages_reexport_what_is_needed_only(code: ReachedCode) -> None:
    code.follow("nets.Big")
    assert code.files()["nets/__init__.py"] == '"""Networks."""\n\nfrom .big import Big\n\n__all__ = ["Big"]\n'


def test_long_lists_of_names_have_lines_as_black_has_them(code: ReachedCode) -> None:
    """Names in one line of their own where they fit, else each in its line; imports always each in its line."""
    names = [f"NetworkNumber{n:02}" for n in range(8)]
    (code.root / "nets" / "__init__.py").write_text(f"from .big import {', '.join(names)}\n")
    for name in names[:6]:
        code.follow(f"nets.{name}")
    listed = ", ".join(f'"{name}"' for name in names[:6])
    assert code.files()["nets/__init__.py"].endswith(f"\n__all__ = [\n    {listed}\n]\n")
    for name in names[6:]:
        code.follow(f"nets.{name}")
    text = code.files()["nets/__init__.py"]
    assert text.startswith("from .big import (\n    NetworkNumber00,\n")
    assert '\n__all__ = [\n    "NetworkNumber00",\n' in text


def test_package_without_names_is_an_empty_file(code: ReachedCode) -> None:
    code.follow("blocks.gate")
    assert code.files()["blocks/__init__.py"] == ""


def test_tells_packages_of_others_by_how_they_are_needed(code: ReachedCode) -> None:
    code.follow("nets.Big")
    assert (code.required, code.optional) == ({"torch", "numpy"}, {"itk", "h5py"})


def test_whole_package_reaches_all_that_it_reexports(code: ReachedCode) -> None:
    code.follow("nets")
    assert {"nets.big", "nets.small"} <= code.modules


def test_package_with_code_of_its_own_is_kept_whole(code: ReachedCode) -> None:
    code.follow("tools.VALUE")
    assert code.files()["tools/__init__.py"] == FILES["tools/__init__.py"]
    assert "blocks.unused" in code.modules


def test_a_function_with_the_name_of_its_module_stays_a_function(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").write_text("from .chain import chain\n")
    (tmp_path / "tools" / "chain.py").write_text("def chain(): ...\n")
    (tmp_path / "user.py").write_text("from .tools import chain\n")
    code = ReachedCode(tmp_path)
    code.follow("user")
    assert "from .chain import chain" in code.files()["tools/__init__.py"]


def test_unknown_module_is_refused(code: ReachedCode) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module networks\.Big"):
        code.follow("networks.Big")

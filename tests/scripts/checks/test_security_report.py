"""Tests of scripts.security."""

import pytest

from mri_attention.scripts.checks.security_report import free_names, judge_expression, judge_target, parse_expression


def level(reasons: list[tuple[str, str]]) -> str:
    levels = [given for given, _ in reasons]
    return "danger" if "danger" in levels else "look" if "look" in levels else "allowed"


@pytest.mark.parametrize(
    "text",
    [
        "import torch",
        "from mri_attention.datasets import find_cases",
        "@network.eval()",
        "@train::dataset[0] + [x for x in @cases if x]",
        "not os.path.exists(@model_file)",
        "Path(@output_dir, 'models').exists()",
        "monai.utils.set_determinism(seed=@seed)",
        "torch.load(@file, weights_only=True)",
        "sys.path.insert(0, @bundle_root)",
        "setattr(torch.backends.cudnn, 'benchmark', True)",
    ],
)
def test_ordinary_expressions_are_allowed(text: str) -> None:
    assert level(judge_expression(text)) == "allowed"


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "import pandas",
        "os.environ['HOME']",
        "sys.path.insert(0, '/tmp')",
        "open(@file).read()",
        "Path('a').write_text('b')",
        "torch.load(@file)",
        "torch.save(@network, 'a')",
    ],
)
def test_files_and_foreign_modules_are_for_a_person_to_look_at(text: str) -> None:
    assert level(judge_expression(text)) == "look"


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess",
        "from os import system",
        "from pathlib import os",
        "os.system('ls')",
        "eval('1')",
        "exec(@code)",
        "__import__('os')",
        "().__class__.__base__.__subclasses__()",
        "getattr(torch, @name)",
        "setattr(torch, 'load', True)",
        "setattr(torch.backends.cudnn, 'benchmark', eval('1'))",
        "pathlib.os.remove('a')",
        "torch.hub.load('a', 'b')",
        "torch.load(@file, weights_only=False)",
        "np.load(@file, allow_pickle=True)",
        "monai.bundle.download('x')",
        "sys.modules['os']",
        "1 +",
    ],
)
def test_programs_pickles_and_network_are_dangerous(text: str) -> None:
    assert level(judge_expression(text)) == "danger"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Compose", "allowed"),
        ("torch.nn.Conv3d", "allowed"),
        ("scripts.networks.nets.FANet", "allowed"),
        ("nibabel.load", "look"),
        ("@network", "look"),
        ("pathlib.Path.unlink", "look"),
        ("os.path.join", "look"),
        ("os.system", "danger"),
        ("os.execv", "danger"),
        ("builtins.eval", "danger"),
        ("subprocess.Popen", "danger"),
        ("monai.utils.misc.subprocess.run", "danger"),
        ("torch.hub.load", "danger"),
    ],
)
def test_judges_targets(name: str, expected: str) -> None:
    assert level(judge_target(name)) == expected


def test_free_names_are_those_that_an_expression_does_not_bind() -> None:
    assert free_names(parse_expression("[f(x) for x in @cases] + (lambda y: y + z)(1)")) == {"f", "z", "_reference_"}

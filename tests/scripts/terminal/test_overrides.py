"""Tests of scripts.terminal.overrides."""

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.terminal.overrides import parse_overrides


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--train::trainer::max_epochs", "5"], {"train::trainer::max_epochs": 5}),
        (["--lr=1e-3", "--name", "late"], {"lr": 1e-3, "name": "late"}),
        (["--amp", "--size", "[64,64]"], {"amp": True, "size": [64, 64]}),
        (["--shift", "-3"], {"shift": -3}),
        (["--network#depth", "None"], {"network#depth": None}),
        (["--device", "$torch.device('cpu')"], {"device": "$torch.device('cpu')"}),
        (["--reference", "@network"], {"reference": "@network"}),
        (["--expression=$@a == 1"], {"expression": "$@a == 1"}),
        ([], {}),
    ],
)
def test_reads_overrides_as_python_literals_or_text(arguments: list[str], expected: dict[str, object]) -> None:
    assert parse_overrides(arguments) == expected


@pytest.mark.parametrize("arguments", [["five"], ["--a", "1", "2"], ["--"], ["--=3"]])
def test_override_without_name_is_refused(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="an override needs a name"):
        parse_overrides(arguments)

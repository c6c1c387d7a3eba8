"""Tests of scripts.terminal.overrides."""

from typing import Any

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.terminal.overrides import parse_overrides, parse_variation


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--train::trainer::max_epochs", "5"], {"train::trainer::max_epochs": 5}),
        (["--lr=1e-3", "--name", "late"], {"lr": 1e-3, "name": "late"}),
        (["--amp", "--size", "[64,64]"], {"amp": True, "size": [64, 64]}),
        (["--shift", "-3"], {"shift": -3}),
        (["--grow", "false", "--amp=true", "--seed", "null"], {"grow": False, "amp": True, "seed": None}),
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


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("noise=0,0.1", [{"noise": 0}, {"noise": 0.1}]),
        ("grow=true,False", [{"grow": True}, {"grow": False}]),
        ("device=cuda:0,cpu", [{"device": "cuda:0"}, {"device": "cpu"}]),
        ("spacing=[1, 1,2],[2,2,2]", [{"spacing": [1, 1, 2]}, {"spacing": [2, 2, 2]}]),
        ("a::mask, b=x:-1,y:1e-3", [{"a::mask": "x", "b": -1}, {"a::mask": "y", "b": 1e-3}]),
    ],
)
def test_variations_are_read(text: str, conditions: list[dict[str, Any]]) -> None:
    assert parse_variation(text) == conditions


@pytest.mark.parametrize("text", ["noise", "noise=", "=1", "mask,acceleration=radial", "mask,acceleration=radial:6:7"])
def test_variations_without_a_value_for_each_id_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a value for each of"):
        parse_variation(text)


@pytest.mark.parametrize("name", ["output_dir", "dataset_dir"])
def test_overrides_that_an_option_would_undo_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"--{name}: would have no effect; give it before the --"):
        parse_overrides([f"--{name}", "elsewhere"])

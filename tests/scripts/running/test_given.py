"""Tests of scripts.running.given, in configurations of a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.given import as_object, as_text

SIGNS = [
    "$1 + 1",
    "@device",
    "%contrasts",
    "a #1",
    "#",
    "a::b",
    "@::x",
    'it\'s "quoted"',
    "-dash",
    "\u00e4\u4e2d \\x24",
    "$import os",
    "",
]


@pytest.mark.parametrize("text", SIGNS)
def test_text_arrives_as_it_is(text: str, tiny_bundle: Path) -> None:
    cases = [{"subject": text, "image": [text], "_target_": text}]
    configuration = Configuration(Bundle(tiny_bundle), ["inference"], {"output_dir": text})
    configuration.update({"cases": cases, "model_file": Path(text)})
    for _ in range(2):  # MONAI replaces what it resolves
        assert configuration.value("output_dir") == text
        assert configuration.value("cases") == cases
        assert configuration.value("model_file") == str(Path(text))
        configuration.build()


def test_expressions_get_text(tiny_bundle: Path) -> None:
    configuration = Configuration(Bundle(tiny_bundle), ["inference"], {"output_dir": "/a #1/@home"})
    configuration.override({"+place": "$@output_dir + '/metrics'"})
    assert configuration.value("place") == "/a #1/@home/metrics"


def test_overrides_are_code_and_number_signs_in_plain_ones_stay(tiny_bundle: Path) -> None:
    configuration = Configuration(Bundle(tiny_bundle), ["inference"])
    configuration.override({"output_dir": "$'a' + 'b'", "dataset_dir": "a #1"})
    assert configuration.value("output_dir") == "ab"
    assert configuration.value("dataset_dir") == "a #1"


@pytest.mark.parametrize("value", [*SIGNS, ["$1", {"a": "@b #1"}], 3, None])
def test_records_are_text_that_gives_the_values_again(value: Any) -> None:
    record = json.loads(json.dumps(as_text({"a": {"b": [as_object(value)]}})))
    assert ConfigParser(record).get_parsed_content("a") == {"b": [value]}


def test_values_are_not_shared(tiny_bundle: Path) -> None:
    case = {"image": ["a"]}
    configuration = Configuration(Bundle(tiny_bundle), ["inference"], {"cases": [case]})
    configuration.value("cases")[0]["image"].append("b")
    assert case == {"image": ["a"]}

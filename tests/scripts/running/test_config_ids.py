"""Tests of scripts.running.config_ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle, Configuration


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_epoch", "max_epochs"),
        ("train::trainer::max_epoch", "train::trainer::max_epochs"),
        ("train#trainer#max_epoch", "train::trainer::max_epochs"),
        ("trainer::max_epochs", "train::trainer::max_epochs"),
        ("train::dataloader::pin_memori", "train::dataloader::pin_memory"),
    ],
)
def test_an_id_that_is_not_there_is_refused_with_the_nearest(name: str, meant: str, tiny_bundle: Path) -> None:
    configuration = Configuration(Bundle(tiny_bundle), ["train"])
    with pytest.raises(InputError, match=f"{re.escape(name)}: no such id; did you mean {meant}"):
        configuration.override({name: 1})


def test_an_id_like_no_other_is_refused(tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match=r"zzzz: no such id; write \+zzzz to add it"):
        Configuration(Bundle(tiny_bundle), ["train"]).override({"zzzz": 1})


@pytest.mark.parametrize(
    "name",
    ["max_epochs", "train#trainer#max_epochs", "train::dataloader::pin_memory", "train::handlers::0::_disabled_"],
)
def test_ids_and_arguments_that_components_take_are_accepted(name: str, tiny_bundle: Path) -> None:
    configuration = Configuration(Bundle(tiny_bundle), ["train"])
    configuration.override({name: True})
    assert configuration.parser[name] is True


def test_a_plus_sign_adds_an_id_and_merges_dictionaries(tiny_bundle: Path) -> None:
    configuration = Configuration(Bundle(tiny_bundle), ["train"])
    configuration.override({"+own": 1, "+n_channels": {"other": 2}})
    assert configuration.value("own") == 1
    assert configuration.value("n_channels") == {"image": 3, "label": 1, "other": 2}


def test_settings_with_a_near_name_are_refused_with_it(tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match="`alow_nan`: has no meaning for tiny; did you mean allow_nan"):
        Configuration(Bundle(tiny_bundle), ["inference"]).require({"alow_nan": True})

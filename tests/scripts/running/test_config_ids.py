"""Tests of scripts.running.config_ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.config_ids import require_kinds

CONTENT = {"sigma": 1.0, "sigmas": [1.0], "self_test": True, "epochs": 5, "contrasts": ["T2w", "T1w"], "leave_out": []}
CONTENT |= {"spacing": [1.0, 1.0], "register": False, "noise": [0.0, 0.1], "model": "model.pt"}
CONTENT |= {"half_precision": {"_target_": "chosen"}, "device": "$torch.device('cpu')"}
CONTENT["network_def"] = {"projections": [2]}


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
    configuration.override({name: 1})
    assert configuration.parser[name] == 1


def test_a_plus_sign_adds_an_id_and_merges_dictionaries(tiny_bundle: Path) -> None:
    configuration = Configuration(Bundle(tiny_bundle), ["train"])
    configuration.override({"+own": 1, "+n_channels": {"other": 2}})
    assert configuration.value("own") == 1
    assert configuration.value("n_channels") == {"image": 3, "label": 1, "other": 2}


def test_settings_with_a_near_name_are_refused_with_it(tiny_bundle: Path) -> None:
    with pytest.raises(InputError, match="`alow_nan`: has no meaning for tiny; did you mean allow_nan"):
        Configuration(Bundle(tiny_bundle), ["inference"]).require({"alow_nan": True})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("sigma", "abc", "`sigma` abc: is not a number; give one, such as 1.0"),
        ("sigma", True, "`sigma` True: is not a number"),
        ("sigma", -1, "`sigma` -1: is negative"),
        ("sigmas", [], r"`sigmas` \[\]: is empty"),
        ("sigmas", [1.0, "abc"], "holds what is no number"),
        ("self_test", "maybe", "`self_test` maybe: is neither true nor false"),
        ("self_test", 3, "`self_test` 3: is neither true nor false"),
        ("sigmas", [1.0, -1.0], r"`sigmas` \[1\.0, -1\.0\]: is negative"),
        ("noise", [-0.1, 0.1], "is negative"),
        ("noise", float("nan"), "is negative, or no number"),
        ("epochs", 0, "`epochs` 0: is not above 0"),
        ("half_precision", "maybe", "`half_precision` maybe: is neither true nor false"),
        ("device", "banana", r"`device` banana: cannot be used \(.+\); give cpu"),
        ("device", "cuda:99", r"`device` cuda:99: cannot be used"),
        ("contrasts", "T2w", r"`contrasts` T2w: is not a list; give one, such as \[T2w, T1w\]"),
    ],
)
def test_values_of_another_kind_are_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        require_kinds(ConfigParser(CONTENT), {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sigma", value) for value in (2, "$1 / 3", "@epochs", None, [1.0, 2.0])),
        *(("sigmas", value) for value in (0.5, [1.0, 0.5], ["@sigma", 2.0])),
        ("network_def::projections", []),
        *(("self_test", value) for value in (False, "$1 > 2", None)),
        *(("register", value) for value in ("auto", True)),
        *(("leave_out", value) for value in ("T2w", [], ["T2w"])),
        *(("contrasts", value) for value in (["T2w"], "$['T2w']")),
        *(("spacing", 1.5), ("noise", 0.1), ("model", 3), ("epochs", 1), ("new", "abc")),
        *(("half_precision", False), ("device", "cpu"), ("device", "$torch.device('cpu')")),
    ],
)
def test_values_that_may_be_meant_are_taken(name: str, value: object) -> None:
    require_kinds(ConfigParser(CONTENT), {name: value})

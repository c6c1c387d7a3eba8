"""Tests of transforms.keyed, the base of dictionary versions."""

from __future__ import annotations

import pickle
from collections.abc import Hashable, Mapping
from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, InvertibleTransform, Randomizable, Transform
from torch import Tensor

from mri_attention.transforms.keyed import (
    InvertibleKeyedTransform,
    KeyedTransform,
    OneDrawKeyedTransform,
    RandomKeyedTransform,
)

ONE = {"a": torch.ones(1, 2), "b": torch.ones(1, 2)}


class Multiply(InvertibleTransform):
    def __init__(self, factor: float = 2.0) -> None:
        super().__init__()
        self.factor = factor

    def __call__(self, data: Tensor, offset: float = 0.0) -> MetaTensor:
        out = MetaTensor(data) * self.factor + offset
        self.push_transform(out)
        return out

    def inverse(self, data: MetaTensor) -> MetaTensor:
        self.pop_transform(data)
        return data / self.factor


class AddNoise(Randomizable, Transform):
    noise = 0.0

    def randomize(self, data: Any = None) -> None:
        self.noise = self.R.normal()

    def __call__(self, data: Tensor, randomize: bool = True) -> Tensor:
        if randomize:
            self.randomize()
        return data + self.noise


class Multiplied(InvertibleKeyedTransform):
    array = Multiply


class MultipliedAndMoved(KeyedTransform):
    array = Multiply

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        return {"offset": data["offset"]}

    def apply(self, value: Any, **arguments: Any) -> Any:
        return -super().apply(value, **arguments)


class NoiseEachd(RandomKeyedTransform):
    array = AddNoise


class NoiseOnced(OneDrawKeyedTransform):
    array = AddNoise


def test_results_go_in_place_or_to_the_output_keys() -> None:
    assert Multiplied(["a", "b"])(ONE)["b"].tolist() == [[2.0, 2.0]]
    out = Multiplied(["a", "b"], ["c", "d"], factor=3.0)(ONE)
    assert out["d"].tolist() == [[3.0, 3.0]]
    assert out["a"] is ONE["a"]


def test_arguments_and_what_is_applied_can_be_changed() -> None:
    assert MultipliedAndMoved("a")(ONE | {"offset": 5.0})["a"].tolist() == [[-7.0, -7.0]]


def test_missing_keys_are_an_error_or_skipped_without_arguments() -> None:
    with pytest.raises(KeyError, match="Key `c` of transform"):
        Multiplied(["a", "c"])(ONE)
    assert Multiplied(["c", "a"], allow_missing_keys=True)(ONE)["a"].tolist() == [[2.0, 2.0]]
    assert MultipliedAndMoved("c", allow_missing_keys=True)(ONE) == ONE


def test_inverse_undoes_every_key() -> None:
    chain = Compose([Multiplied(["a", "b"])])
    assert chain.inverse(chain(ONE))["b"].tolist() == [[1.0, 1.0]]


def test_every_key_has_its_draw_or_all_have_one() -> None:
    each = NoiseEachd(["a", "b"]).set_random_state(0)(ONE)
    once = NoiseOnced(["c", "a", "b"], allow_missing_keys=True).set_random_state(0)(ONE)
    assert not torch.equal(each["a"], each["b"])
    assert torch.equal(once["a"], once["b"])
    assert torch.equal(each["a"], once["a"])


def test_draws_go_on_from_call_to_call_and_start_anew_with_a_seed() -> None:
    transform = NoiseOnced("a").set_random_state(0)
    first = transform(ONE)["a"]
    assert not torch.equal(transform(ONE)["a"], first)
    assert torch.equal(transform.set_random_state(0)(ONE)["a"], first)


def test_can_be_sent_to_another_process_with_its_state() -> None:
    transform = NoiseEachd("a").set_random_state(3)
    again = pickle.loads(pickle.dumps(transform))
    assert torch.equal(again(ONE)["a"], transform(ONE)["a"])


def test_rejects_another_number_of_outputs() -> None:
    with pytest.raises(ValueError, match=r"output_keys must be as many as keys, got .*'c'.* for .*'a', 'b'"):
        Multiplied(["a", "b"], "c")

"""Tests of networks.inferers.precision_choice."""

import logging
import random
from collections.abc import Callable

import pytest
import torch
from torch import nn

from mri_attention.networks.inferers import faster_in_bfloat16, precision_choice
from tests.networks.inferers.test_mixed_precision import X

SHAPE = (2, 3, 8, 8, 8)


class Slow(nn.Module):
    """A network that lets time pass in one of the two precisions; it draws, counts and keeps a running mean."""

    def __init__(self, slow_in: torch.dtype) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(3, 4, 3), nn.BatchNorm3d(4), nn.Dropout(0.5))
        self.slow_in = slow_in
        self.dtypes: list[torch.dtype] = []
        self.layouts: list[bool] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.layouts.append(x.is_contiguous(memory_format=torch.channels_last_3d))
        y: torch.Tensor = self.layers(x)
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        self.dtypes.append(dtype)
        clock.now += 0.4 if dtype == self.slow_in else 0.1
        return y


class Clock:
    """Time that passes only where a network lets it pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


clock = Clock()


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no other choice, processor or load of the machine count."""
    monkeypatch.setattr(precision_choice, "_chosen", {})
    monkeypatch.setattr(precision_choice, "has_fast_bfloat16", lambda device: True)
    monkeypatch.setattr(precision_choice.time, "perf_counter", clock)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("slow_in", "expected"), [(torch.float32, True), (torch.bfloat16, False)])
def test_the_faster_one_is_chosen(slow_in: torch.dtype, expected: bool, training: bool) -> None:
    assert faster_in_bfloat16(Slow(slow_in), SHAPE, training=training) is expected


def test_a_near_tie_gives_float32() -> None:
    assert not faster_in_bfloat16(Slow(torch.float16), SHAPE)


def test_one_line_tells_choice_and_times(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        faster_in_bfloat16(Slow(torch.float32), SHAPE, training=True)
    (line,) = caplog.messages
    for word in ("in bfloat16: 0.1 s for a training step of 2 x 3 x 8 x 8 x 8, against 0.4 s in float32", "threads: "):
        assert word in line


def test_an_equal_network_is_timed_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert [faster_in_bfloat16(Slow(torch.float32), SHAPE) for _ in range(2)] == [True, True]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("training", [False, True])
def test_nothing_changes_but_time(training: bool) -> None:
    network = Slow(torch.float32).train(not training)
    loss = network(X.requires_grad_()).sum()
    loss.backward()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    gradients = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    before = torch.get_rng_state(), random.getstate()
    faster_in_bfloat16(network, SHAPE, training=training)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert all(torch.equal(a, p.grad) for a, p in zip(gradients, network.parameters(), strict=True))
    assert network.training is not training
    assert not any(p.grad is None for p in network.parameters())


def test_both_are_warmed_up_and_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Slow] = []
    monkeypatch.setattr(precision_choice.copy, "deepcopy", lambda network: seen.append(network) or network)
    faster_in_bfloat16(Slow(torch.float16), SHAPE)
    assert seen[0].dtypes == [torch.float32, torch.bfloat16] * (1 + precision_choice.MAX_ROUNDS)
    assert all(seen[0].layouts)


def test_long_passes_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Slow] = []
    monkeypatch.setattr(precision_choice.copy, "deepcopy", lambda network: seen.append(network) or network)
    monkeypatch.setattr(precision_choice, "MAX_SECONDS", 0.3)
    assert faster_in_bfloat16(Slow(torch.float32), SHAPE)
    assert len(seen[0].dtypes) == 2


def test_a_clear_case_takes_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Slow] = []
    monkeypatch.setattr(precision_choice.copy, "deepcopy", lambda network: seen.append(network) or network)
    faster_in_bfloat16(Slow(torch.float32), SHAPE)
    assert len(seen[0].dtypes) == 4


def test_nothing_is_timed_without_arithmetic_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(precision_choice, "has_fast_bfloat16", lambda device: False)
    network = Slow(torch.float32)
    with caplog.at_level(logging.INFO):
        assert not faster_in_bfloat16(network, SHAPE)
    assert caplog.messages == ["computing in float32: no arithmetic for bfloat16 here"]


def test_where_a_pass_fails_float32_is_chosen(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert not faster_in_bfloat16(Slow(torch.float32), (2, 7, 8, 8, 8))
    assert "not timed, for a pass fails" in caplog.text


def test_a_network_that_refuses_the_input_is_not_timed(caplog: pytest.LogCaptureFixture) -> None:
    network = nn.Sequential(nn.Conv3d(1, 2, 1), nn.InstanceNorm3d(2))
    with caplog.at_level(logging.INFO):
        assert not faster_in_bfloat16(network, (2, 1, 1, 1, 1), training=True)
    assert "Expected more than 1 spatial element" in caplog.text


@pytest.mark.parametrize("network", [nn.ReLU(), lambda x: x], ids=["module", "function"])
def test_what_has_no_parameters_computes_in_float32(network: Callable[..., object]) -> None:
    assert not faster_in_bfloat16(network, SHAPE)


def test_inputs_have_the_types_that_were_asked_for() -> None:
    kspace, guide, mask = precision_choice._inputs((1, 1, 8, 8), ("complex64", "float32", "bool"))
    assert [x.dtype for x in (kspace, guide, mask)] == [torch.complex64, torch.float32, torch.bool]
    assert 0 < mask.float().mean() < 1

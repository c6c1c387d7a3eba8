"""Weights averaged over steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from ignite.engine import Engine

from mri_attention.handlers import AveragedWeights


def follow(network: torch.nn.Linear, values: list[float], average: AveragedWeights) -> Engine:
    """Return a trainer whose steps set the weight to ``values``, one after the other."""

    def step(engine: Engine, value: Any) -> None:
        with torch.no_grad():
            network.weight.fill_(value)

    trainer = Engine(step)
    average.attach(trainer)
    trainer.run(values, max_epochs=1)
    return trainer


@pytest.fixture
def network() -> torch.nn.Linear:
    return torch.nn.Linear(1, 1, bias=False)


def test_the_first_steps_count_by_their_number(network: torch.nn.Linear) -> None:
    average, expected = AveragedWeights(network, 0.99), network.weight.item()
    values = [1.0, 4.0, -2.0]
    follow(network, values, average)
    for step, value in enumerate(values, start=1):
        expected += 9 / (10 + step) * (value - expected)
    assert average.network.weight.item() == pytest.approx(expected)


def test_later_steps_count_by_the_decay(network: torch.nn.Linear) -> None:
    average = AveragedWeights(network, 0.9)
    follow(network, [1.0] * 1000 + [0.0] * 5, average)
    assert average.network.weight.item() == pytest.approx(0.9**5, rel=1e-5)


def test_the_averaged_network_is_not_the_trained_one(network: torch.nn.Linear) -> None:
    average = AveragedWeights(network)
    follow(network, [1.0, 5.0], average)
    assert network.weight.item() == 5.0
    assert average.network is not network
    assert not average.network.training
    assert not any(weight.requires_grad for weight in average.network.parameters())


def test_going_on_at_a_step_averages_as_if_there_had_been_no_stop(network: torch.nn.Linear) -> None:
    whole, parts, resumed = (AveragedWeights(network, 0.99) for _ in range(3))
    network.weight.data.fill_(0.5)
    follow(network, [1.0, 4.0, -2.0, 3.0], whole)
    network.weight.data.fill_(0.5)
    first = follow(network, [1.0, 4.0], parts)
    resumed.network.load_state_dict(parts.network.state_dict())
    second = Engine(lambda engine, value: network.weight.data.fill_(value))
    resumed.attach(second)
    second.load_state_dict(first.state_dict())
    second.run([-2.0, 3.0], max_epochs=2)
    assert resumed.network.weight.item() == pytest.approx(whole.network.weight.item())


def test_the_average_starts_from_weights_that_were_loaded_since(network: torch.nn.Linear) -> None:
    average = AveragedWeights(network)
    network.weight.data.fill_(7.0)
    follow(network, [7.0], average)
    assert average.network.weight.item() == 7.0


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_a_decay_out_of_range_is_refused(network: torch.nn.Linear, decay: float) -> None:
    with pytest.raises(ValueError, match="momentum"):
        AveragedWeights(network, decay)

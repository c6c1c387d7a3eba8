"""Networks that add nothing are told."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from ignite.engine import Engine

from mri_attention.handlers import IdleNetwork
from mri_attention.networks.nets import CFTN, Interpolation


def validated(network: torch.nn.Module, images: list[torch.Tensor], n_times: int = 1) -> None:
    def step(engine: Engine, image: torch.Tensor) -> list[dict[str, Any]]:
        with torch.no_grad():
            return [{"image": image, "pred": network(image[None])[0]}]

    engine = Engine(step)
    IdleNetwork(network).attach(engine)
    for _ in range(n_times):
        engine.run(images)


def closed() -> CFTN:
    """A network whose gate is closed."""
    network = CFTN(2, 4, 1, (1,), interpolation="spline")
    assert network.fine_fusion is not None
    torch.nn.init.constant_(network.fine_fusion.conv.bias, -100.0)
    torch.nn.init.zeros_(network.tail.bias)
    return network


@pytest.fixture
def images() -> list[torch.Tensor]:
    return list(torch.rand(2, 1, 6, 7, 8, generator=torch.Generator().manual_seed(0)))


def test_a_closed_gate_is_told_once_for_a_validation(
    images: list[torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        validated(closed(), images)
    (message,) = caplog.messages
    assert message.startswith("the network adds nothing to the interpolation")
    assert message.endswith("train anew with a lower `learning_rate`")


def test_a_network_that_adds_something_to_one_case_is_not_told(
    images: list[torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    network = closed()
    base = Interpolation(2)
    first = images[0]

    def forward(x: torch.Tensor) -> torch.Tensor:
        return base(x) + 0.1 * float(torch.equal(x[0], first))

    network.forward = forward  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        validated(network, images)
        network.forward = lambda x: base(x) * torch.nan  # type: ignore[method-assign]
        validated(network, images)
        validated(torch.nn.Identity(), images)
    assert not caplog.messages


def test_each_validation_is_told_by_itself(images: list[torch.Tensor], caplog: pytest.LogCaptureFixture) -> None:
    network, closed_network = CFTN(2, 4, 1, (1,), interpolation="spline"), closed()
    shared = iter([network] * 2 + [closed_network] * 4)
    both = torch.nn.Module()
    both.interpolation = network.interpolation
    both.forward = lambda x: next(shared)(x)  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        validated(both, images, 3)
    assert len(caplog.messages) == 2

"""Tests of handlers.finite_gradients: what one step that is not finite does to a training."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from monai.engines import SupervisedTrainer
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from mri_attention.datasets import InputError
from mri_attention.handlers import FiniteGradients
from mri_attention.networks.inferers import MixedPrecisionInferer


class Fragile(torch.autograd.Function):
    """The identity, whose gradient is NaN in bfloat16, or everywhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, always: bool) -> Tensor:
        ctx.always = always
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        is_bad = ctx.always or gradient.dtype == torch.bfloat16
        return (gradient * torch.nan if is_bad else gradient), None


class Network(nn.Module):
    def __init__(self, always: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.always = always

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = Fragile.apply(self.conv(x), self.always)
        return result


def trainer(always: bool, half: bool) -> SupervisedTrainer:
    torch.manual_seed(0)
    network = Network(always)
    engine = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=2,
        train_data_loader=[{"image": torch.ones(1, 1, 4, 4), "label": torch.zeros(1, 1, 4, 4)}],
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=nn.MSELoss(),
        inferer=MixedPrecisionInferer(SimpleInferer(), enabled=half),
    )
    FiniteGradients().attach(engine)
    return engine


def test_step_in_bfloat16_is_left_out_and_the_rest_computes_in_float32(caplog: pytest.LogCaptureFixture) -> None:
    engine = trainer(always=False, half=True)
    before = engine.network.conv.weight.detach().clone()
    with caplog.at_level(logging.WARNING, logger="mri_attention.handlers.finite_gradients"):
        engine.run()
    told = [r.getMessage() for r in caplog.records if r.name.endswith("finite_gradients")]
    assert told == [
        "the gradient of conv.weight is not finite in step 1 in bfloat16: "
        "it is left out, and the rest computes in float32"
    ]
    assert not engine.inferer.enabled
    assert engine.network.conv.weight.isfinite().all()
    assert not torch.equal(engine.network.conv.weight, before)  # of the second step


def test_training_in_float32_ends_before_the_weights_are_spoiled() -> None:
    engine = trainer(always=True, half=False)
    with pytest.raises(InputError, match=r"learning_rate.*the gradient of conv\.weight is not finite in step 1"):
        engine.run()
    assert engine.network.conv.weight.isfinite().all()


def test_finite_training_is_as_without_the_guard() -> None:
    guarded, free = trainer(always=False, half=False), trainer(always=False, half=False)
    free._event_handlers.clear()  # the guard, and what only prints
    for _ in range(2):
        x, y = free.data_loader[0]["image"], free.data_loader[0]["label"]
        free.optimizer.zero_grad()
        nn.functional.mse_loss(free.network(x), y).backward()
        free.optimizer.step()
    guarded.run()
    torch.testing.assert_close(guarded.network.conv.weight, free.network.conv.weight, rtol=0, atol=0)

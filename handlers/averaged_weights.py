"""Weights averaged over the steps of a training."""

from __future__ import annotations

from typing import Any

from ignite.engine import Engine, Events
from ignite.handlers import EMAHandler
from torch import nn


class AveragedWeights(EMAHandler):
    """Keep an exponential moving average of a network's weights, which is steadier than the weights of any one step.

    Polyak and Juditsky 1992 (doi:10.1137/0330046) show what averages of steps gain. After step ``k`` the average moves
    towards the network by ``max(1 - decay, 9 / (10 + k))``, so that it forgets the untrained weights at once. As this
    follows from the step alone, a training that goes on from a checkpoint averages as if it had not stopped.

    Args:
        network: that is trained; of ``DistributedDataParallel`` the module.
        decay: share of the average that stays in each step, after the first ones.

    Attributes:
        network: the one with the averaged weights, for validation; it shares nothing with that which is trained.

    Raises:
        ValueError: if ``decay`` is not between 0 and 1.
    """

    def __init__(self, network: nn.Module, decay: float = 0.99) -> None:
        super().__init__(network, momentum=1 - decay)
        self.network: nn.Module = self.ema_model

    def attach(self, engine: Engine, name: str = "ema_momentum", *args: Any, **kwargs: Any) -> None:
        """Follow the trainer ``engine``: the average starts where the network does, and moves after each step."""

        def start() -> None:
            if engine.state.iteration == 0:  # weights may have been loaded since
                self.network.load_state_dict(self.model.state_dict())

        def set_momentum() -> None:
            setattr(engine.state, name, max(self.momentum, 9 / (10 + engine.state.iteration)))

        engine.add_event_handler(Events.STARTED, start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, set_momentum)
        super().attach(engine, name, *args, **kwargs)

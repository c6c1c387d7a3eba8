"""Handlers that keep the weights of the best, or of the last epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from torch import nn

from .whole_files import save_whole, state_of


class BestWeights:
    """Keep the weights of the best validation in ``file``, which is replaced at once and whole.

    Which one is best MONAI's evaluator tells, by its ``metric_cmp_fn``; a training that goes on remembers it.

    Args:
        network: whose weights.
        file: such as ``models/model.pt``.
    """

    def __init__(self, network: nn.Module, file: Path | str) -> None:
        self.network = network
        self.file = Path(file)

    def attach(self, engine: Engine) -> None:
        """Look after each validation of the evaluator ``engine``."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.keep)

    def keep(self, engine: Any) -> None:
        """Write the file if this validation was the best one."""
        if engine.state.best_metric_epoch == engine.state.epoch:
            save_whole(state_of(self.network), self.file)


class LastWeights(BestWeights):
    """Keep the weights of the last epoch of a training in ``file``, for trainings without validation."""

    def attach(self, engine: Engine) -> None:
        """Wait until the trainer ``engine`` is done."""
        engine.add_event_handler(Events.COMPLETED, self.keep)

    def keep(self, engine: Any) -> None:
        """Write the file."""
        save_whole(state_of(self.network), self.file)

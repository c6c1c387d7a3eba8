"""A training that ends when its time is over, with the learning rate where it should be by then."""

from __future__ import annotations

import logging
import time
from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events
from torch.optim.lr_scheduler import LRScheduler

from ..datasets import InputError

logger = logging.getLogger(__name__)


class TimeBudget:
    """End a training after the epoch in which its minutes are over, unless all of its epochs are done before.

    The schedule of the learning rate goes by the share of the time, where that is ahead of the share of the epochs. The
    last epoch is validated, whatever the interval. Time counts from the first step, validation and what was trained
    before a stop included; of several processes the clock of the first one counts.

    Args:
        minutes: how long, at most an epoch longer.
        lr_scheduler: of epochs or of steps.
        validator: of the training; None without.

    Raises:
        InputError: if ``minutes`` is not positive.
    """

    def __init__(self, minutes: float, lr_scheduler: LRScheduler, validator: Any = None) -> None:
        if minutes <= 0:
            raise InputError.at(f"`minutes` {minutes:g}", "must be more than 0", "give minutes, or null for no limit")
        self.minutes = minutes
        self.lr_scheduler = lr_scheduler
        self.validator = validator
        self._start, self._position = 0.0, 0

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``; before the handler that writes checkpoints."""
        engine.add_event_handler(Events.STARTED, self.begin)
        engine.add_event_handler(Events.EPOCH_STARTED, self.begin_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.end_epoch)

    def begin(self, engine: Engine) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def begin_epoch(self, engine: Engine) -> None:
        """Note where the schedule is."""
        self._position = self.lr_scheduler.last_epoch

    def end_epoch(self, engine: Any) -> None:
        """Let the schedule catch up with the time, and end the training where that is over."""
        before = getattr(engine.state, "seconds_before", 0.0)
        seconds: Any = idist.broadcast(before + time.monotonic() - self._start, src=0)
        share = min(seconds / (60 * self.minutes), 1.0)
        self._catch_up(share * engine.state.max_epochs)
        if share == 1.0 and engine.state.epoch < engine.state.max_epochs:
            self._end(engine, seconds)

    def _catch_up(self, epoch: float) -> None:
        per_epoch = self.lr_scheduler.last_epoch - self._position
        while self.lr_scheduler.last_epoch < int(epoch * per_epoch):
            self.lr_scheduler.step()

    def _end(self, engine: Any, seconds: float) -> None:
        if idist.get_rank() == 0:
            numbers = engine.state.epoch, engine.state.max_epochs, seconds / 60
            logger.info("ending after epoch %d of %d: %.1f minutes are over", *numbers)
        has_cases = self.validator is not None and len(self.validator.data_loader) > 0
        if has_cases and self.validator.state.epoch != engine.state.epoch:
            self.validator.run(engine.state.epoch)
        engine.terminate()

"""The handler that keeps checkpoints of a training, and goes on from them."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint

from ..datasets import InputError
from ..datasets.leaving import leaving_on_signals
from .checkpoint_files import CheckpointFiles, Content
from .same_training import in_short, require_all, require_same_network, require_same_steps, tell_changes
from .training_folders import lock_folder, release_folder, require_no_weights
from .whole_files import unwrapped

logger = logging.getLogger(__name__)

SHARE = 0.05
"""Of the time, at most, is spent on writing: a disk so slow that it is more gets a checkpoint in every n-th epoch."""


class TrainingCheckpoints:
    """Write a checkpoint at ends of epochs, and go on from the newest whole one.

    A checkpoint holds what :class:`EpochSeeds` does not make anew: states of network, optimizer, learning rate and
    trainer, the best metrics, and what the early stop has counted. Of a training that stops within an epoch this epoch
    is lost, and done again with the same random numbers.

    Args:
        folder: of the checkpoints.
        objects: by name, what has a state; ``model`` and ``trainer`` are among them.
        settings: by config id, what has to be the same when the training goes on; a list counts by its file names.
        validator: whose best metric is kept.
        early_stopper: MONAI's ``EarlyStopHandler``, if there is one.
        resume: go on from the newest checkpoint.
        minutes: at the least between two checkpoints; 0 for each epoch, unless that took more than 5 % of the time.
    """

    def __init__(
        self,
        folder: Path | str,
        objects: Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
        validator: Engine | None = None,
        early_stopper: Any = None,
        resume: bool = False,
        minutes: float = 0.0,
    ) -> None:
        self.files = CheckpointFiles(Path(folder))
        self.objects = dict(objects)
        self.settings = {name: in_short(value) for name, value in (settings or {}).items()}
        self.validator = validator
        self.early_stopper = early_stopper
        self.resume = resume
        self.minutes = minutes
        self._saved_epoch, self._is_begun = 0, False
        self._start = self._due = self._seconds_before = 0.0
        self._signals = ExitStack()

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``."""
        engine.add_event_handler(Events.STARTED, self.begin)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save_if_due)
        engine.add_event_handler(Events.COMPLETED, self.finish)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self.tell_how_to_go_on)
        handlers = engine._event_handlers[Events.EXCEPTION_RAISED]
        handlers.insert(0, handlers.pop())  # MONAI's StatsHandler, which was there before, lets no other one follow

    def begin(self, engine: Engine) -> None:
        """Go on from the newest checkpoint, at the first start.

        Raises:
            InputError: if it is of another network or an earlier version, or of epochs of another length.
        """
        self._signals.enter_context(leaving_on_signals())
        if idist.get_rank() == 0:
            lock_folder(self.files.folder)
        if self._is_begun:
            return
        self._is_begun, self._start = True, time.monotonic()
        if self.resume:
            self._go_on(engine)
        else:
            require_no_weights(self.files.folder, "checkpoint_*.pt")

    def save_if_due(self, engine: Engine) -> None:
        """Write a checkpoint, unless the last one is too young."""
        if idist.get_rank() == 0 and time.monotonic() >= self._due:
            self._save(engine)

    def finish(self, engine: Engine) -> None:
        """Make the checkpoint of the last epoch that of the training."""
        if idist.get_rank() == 0 and engine.state.epoch > 0:
            if self._saved_epoch != engine.state.epoch:
                self._save(engine)
            self.files.finish(engine.state.epoch)
        self._leave()

    def tell_how_to_go_on(self, engine: Engine, error: BaseException) -> None:
        """Tell from which epoch a stopped training goes on; the error goes its way."""
        self._leave()
        if idist.get_rank() == 0 and not isinstance(error, InputError) and not getattr(error, "is_told", False):
            error.is_told = True  # type: ignore[attr-defined]
            place = f"{self.files.folder}: stopped in epoch {engine.state.epoch} of {engine.state.max_epochs}"
            before = f"; set `resume` to true to go on after epoch {self._saved_epoch}"
            line = place + (before if self._saved_epoch else ", before the first checkpoint; it has to start over")
            logger.warning("%s", line)
            if sys.version_info >= (3, 11):
                error.add_note(line)  # stands below the traceback, where there is one
        raise error

    def _leave(self) -> None:
        self._signals.close()
        if idist.get_rank() == 0:
            release_folder(self.files.folder)

    def _save(self, engine: Engine) -> None:
        start = time.monotonic()
        content = {name: unwrapped(item).state_dict() for name, item in self.objects.items()}
        self.files.write(content | {"progress": self._progress(engine)}, engine.state.epoch)
        now = time.monotonic()
        self._saved_epoch = engine.state.epoch
        self._due = now + max(60 * self.minutes, (now - start) / SHARE)

    def _progress(self, engine: Any) -> Content:
        scaler = getattr(engine, "scaler", None)
        return {
            "best": {name: _best_of(each) for name, each in self._engines(engine).items()},
            "early_stopper": _counts_of(self.early_stopper).state_dict() if self.early_stopper else None,
            "scaler": scaler.state_dict() if scaler else None,
            "settings": self.settings,
            "seconds": self._seconds_before + time.monotonic() - self._start,
        }

    def _engines(self, engine: Any) -> dict[str, Any]:
        return {"trainer": engine} | ({} if self.validator is None else {"validator": self.validator})

    def _go_on(self, engine: Any) -> None:
        if (newest := self.files.newest()) is None:
            if idist.get_rank() == 0:
                logger.warning("%s: no checkpoint to go on from; starting at epoch 1", self.files.folder)
            return
        file, content = newest
        progress = content.get("progress") or {}
        require_same_network(file, content, self.objects["model"])
        require_all(file, content, self.objects)
        require_same_steps(file, content, engine.state.epoch_length)
        if idist.get_rank() == 0:
            tell_changes(file, progress.get("settings", {}), self.settings)
        max_epochs = engine.state.max_epochs
        Checkpoint.load_objects(self.objects, {name: content[name] for name in self.objects})
        engine.state.max_epochs = max_epochs
        self._restore(engine, progress)
        self._saved_epoch = engine.state.epoch
        if idist.get_rank() == 0:
            self._tell_of_the_start(file, engine, progress)

    def _restore(self, engine: Any, progress: Content) -> None:
        for name, each in self._engines(engine).items():
            if name in progress.get("best", {}):
                each.state.best_metric, each.state.best_metric_epoch = progress["best"][name]
        if self.early_stopper and progress.get("early_stopper"):
            _counts_of(self.early_stopper).load_state_dict(progress["early_stopper"])
        if getattr(engine, "scaler", None) and progress.get("scaler"):
            engine.scaler.load_state_dict(progress["scaler"])
        self._seconds_before = engine.state.seconds_before = float(progress.get("seconds", 0.0))

    def _tell_of_the_start(self, file: Path, engine: Any, progress: Content) -> None:
        logger.info("%s: going on after epoch %d", file, engine.state.epoch)
        if not progress:
            logger.warning("%s: of an earlier version; which epoch was best is not known any more", file)
        if engine.state.epoch >= engine.state.max_epochs:
            logger.warning("%s: has %d epochs already; set `epochs` higher to go on", file, engine.state.epoch)


def _best_of(engine: Any) -> tuple[float, int]:
    return float(engine.state.best_metric), int(engine.state.best_metric_epoch)


def _counts_of(early_stopper: Any) -> Any:
    """Return ignite's handler within MONAI's."""
    return early_stopper._handler

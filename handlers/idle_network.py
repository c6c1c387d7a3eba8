"""A guard against networks that have come to add nothing, which metrics do not tell from ones that learn slowly."""

from __future__ import annotations

import logging
import math
from typing import Any

from ignite.engine import Events
from torch import Tensor, nn

logger = logging.getLogger(__name__)

LEAST = 1e-3  # of images from 0 to 1


class IdleNetwork:
    """Warn where what a network makes is everywhere, in all cases of a validation, what it adds to.

    The gate of :class:`.SpatialAttentionFusion` may close for good in a training with a high learning rate: features
    and gate have one product, and grow and close together.

    Args:
        network: whose attribute ``interpolation`` maps the input ``(b, c, *spatial)`` to what it adds to, on the scale
            of 0 to 1; of others nothing is told.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.largest = 0.0

    def attach(self, engine: Any) -> None:
        """Follow the evaluator ``engine``."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._compare)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._tell)

    def _begin(self, engine: Any) -> None:
        self.largest = 0.0

    def _compare(self, engine: Any) -> None:
        start = getattr(getattr(self.network, "module", self.network), "interpolation", None)
        for item in engine.state.output:
            image, result = (item[key].as_subclass(Tensor) for key in ("image", "pred"))
            added = math.inf if start is None else float((result - start(image[None])[0]).abs().max())
            self.largest = max(self.largest, math.inf if math.isnan(added) else added)

    def _tell(self, engine: Any) -> None:
        if self.largest < LEAST:
            told = (
                "the network adds nothing to the interpolation (%.1e at most): train anew with a lower `learning_rate`"
            )
            logger.warning(told, self.largest)

"""A handler that makes what is random in an epoch a function of the seed and the epoch alone."""

from __future__ import annotations

from typing import Any

from ignite import distributed as idist
from ignite.engine import Engine, Events
from monai.data.utils import set_rnd
from monai.utils import set_determinism
from numpy.random import SeedSequence


class EpochSeeds:
    """Seed all random numbers at the start of each epoch, so that a training which goes on draws what it would have.

    These are torch's, CUDA's, numpy's and Python's own, the sampler's and the transforms'; workers of a DataLoader take
    theirs from torch's. Each process of several draws its own. The first epoch keeps the seeds that the config set.

    Args:
        seed: of the training.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        """Seed before each epoch of the trainer ``engine``, and before its DataLoader begins."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.reseed)

    def reseed(self, engine: Any) -> None:
        """Seed the epoch that starts."""
        if engine.state.epoch == 1:
            return
        entropy = (self.seed, idist.get_rank(), engine.state.epoch)
        own, of_sampler, of_transforms = map(int, SeedSequence(entropy).generate_state(3))
        set_determinism(seed=own)
        generator = getattr(getattr(engine.data_loader, "sampler", None), "generator", None)
        if generator is not None:
            generator.manual_seed(of_sampler)
        set_rnd(getattr(engine.data_loader, "dataset", None), of_transforms)

"""Random state of dictionary transforms that call another transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai.transforms import Randomizable
from numpy.random import RandomState

if TYPE_CHECKING:
    from typing_extensions import Self


class DelegatedRandomness(Randomizable):
    """Base of dictionary transforms that leave all draws to ``transform``.

    Attributes:
        transform: a :class:`Randomizable` transform, set by the derived class.
    """

    transform: Any

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> Self:
        """Seed this transform and the one that it calls."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self

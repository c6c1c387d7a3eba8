"""Several steps that draw from one random state."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.data import MetaTensor
from monai.transforms import Randomizable, Transform
from numpy.random import RandomState

if TYPE_CHECKING:
    from typing_extensions import Self


class SharedRandomState(Randomizable, Transform):
    """Apply transforms of dictionaries one after another, all of which draw from one random state.

    Args:
        transforms: the steps.
        seed: draw the same for a file each time, whatever was drawn before, for evaluation; the random state goes on
            from case to case where it is None, for training.
        source_key: of the image whose file, by its name, goes with ``seed``.
        unless: a key; cases that have it are passed on as they are.
    """

    def __init__(
        self,
        transforms: Sequence[Callable[[Any], Any]],
        seed: int | None = None,
        source_key: str = "image",
        unless: str | None = None,
    ) -> None:
        self.transforms = tuple(transforms)
        self.seed = seed
        self.source_key = source_key
        self.unless = unless

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> Self:
        """Seed this transform; its steps draw from the same state."""
        super().set_random_state(seed, state)
        for transform in self.transforms:
            if isinstance(transform, Randomizable):
                transform.set_random_state(state=self.R)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Apply the steps."""
        out = dict(data)
        if self.unless in out:
            return out
        if self.seed is not None:
            self.set_random_state(zlib.crc32(f"{self.seed} {_file_name(out[self.source_key])}".encode()))
        for transform in self.transforms:
            out = transform(out)
        return out


def _file_name(image: Any) -> str:
    return Path(str(image.meta.get("filename_or_obj", ""))).name if isinstance(image, MetaTensor) else ""

"""Contrasts left out in training, so that a network learns to do without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from monai.transforms import Randomizable, Transform
from torch import Tensor

from .keyed import OneDrawKeyedTransform
from .missing_contrasts import present_contrasts


class RandDropContrasts(Randomizable, Transform):
    """Set the channels of contrasts that are left out to zero, as those of missing contrasts are.

    Havaei et al., MICCAI 2016 (arXiv:1607.05194) leave contrasts out at random in training. It comes last among the
    transforms of intensities, of which noise, shifts and mixing would fill channels again. For the same reason,
    contrasts that were missing already (``missing`` in the ``meta`` of the image) are set to zero anew. An image never
    loses the last of its contrasts.

    Args:
        contrasts: names of the channels.
        required: those that are never left out.
        prob: with which each of the others is left out, for all or by name. Not used with ``sets``.
        sets: weight by what is kept, names joined by ``+``, such as ``{"T1w+T2w+FLAIR": 0.5, "FLAIR": 0.5}``; the
            required ones are kept in any case.

    Raises:
        ValueError: if a name is not among ``contrasts``, a probability is not from 0 to 1, a required contrast has
            one, or weights are negative or all zero.
    """

    def __init__(
        self,
        contrasts: Sequence[str] = ("T1w", "T2w", "FLAIR"),
        required: Sequence[str] = ("FLAIR",),
        prob: float | Mapping[str, float] = 0.0,
        sets: Mapping[str, float] | None = None,
    ) -> None:
        self.contrasts = tuple(contrasts)
        self.required = frozenset(required)
        optional = [name for name in contrasts if name not in self.required]
        self.prob = dict(prob) if isinstance(prob, Mapping) else dict.fromkeys(optional, prob)
        self.sets = {tuple(names.split("+")): weight for names, weight in (sets or {}).items()}
        self.kept: frozenset[str] = frozenset(contrasts)
        self._check({*required, *self.prob, *(name for names in self.sets for name in names)})

    def _check(self, names: set[str]) -> None:
        if unknown := sorted(names - set(self.contrasts)):
            raise ValueError(f"{', '.join(unknown)} is not among contrasts, got {self.contrasts}")
        if not all(0 <= share <= 1 for share in self.prob.values()) or self.required & self.prob.keys():
            raise ValueError(f"prob must be from 0 to 1, of contrasts that are not required, got {self.prob}")
        weights = list(self.sets.values())
        if weights and (min(weights) < 0 or not sum(weights)):
            raise ValueError(f"weights of sets must not be negative, nor all zero, got {self.sets}")

    def randomize(self, data: object = None) -> None:
        """Draw what is kept."""
        if self.sets:
            weights = np.array([*self.sets.values()], dtype=float)
            kept = [*self.sets][self.R.choice(len(weights), p=weights / weights.sum())]
        else:
            kept = tuple(name for name in self.contrasts if self.R.random_sample() >= self.prob.get(name, 0.0))
        self.kept = self.required | set(kept)

    def __call__(self, image: Tensor, randomize: bool = True) -> Tensor:
        """Return ``(c, *spatial)`` with zeros in the channels of contrasts that are left out or missing.

        Raises:
            ValueError: if there is not one channel per contrast.
        """
        if len(image) != len(self.contrasts):
            raise ValueError(f"image must have a channel per contrast, got {len(image)} for {self.contrasts}")
        if randomize:
            self.randomize()
        there = set(present_contrasts(image, self.contrasts))
        kept = (there & self.kept) or there
        if not (lost := [number for number, name in enumerate(self.contrasts) if name not in kept]):
            return image
        out = image.clone()
        out[lost] = 0
        return out


class RandDropContrastsd(OneDrawKeyedTransform):
    """Dictionary version of :class:`RandDropContrasts`; one draw for all keys."""

    array = RandDropContrasts

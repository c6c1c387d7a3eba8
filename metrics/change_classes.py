"""What lesions can become from one visit to the next, and what counts as that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLASSES = ("new", "enlarging", "stable", "shrinking", "vanished", "uncertain")
"""Their labels in an image are 1, 2, ..."""


@dataclass(frozen=True)
class ChangeRule:
    """What counts as a change.

    Attributes:
        border: mm, by which the outline of an unchanged lesion may lie elsewhere at another visit, on all sides.
        min_volume: mm^3; no smaller change counts. A ball of 3 mm diameter, the smallest lesion of the criteria of
            Thompson et al. 2018 (Lancet Neurol 17:162), has 14 mm^3.
        min_support: by how many standard deviations of the difference image intensities have to change.
    """

    border: float = 0.5
    min_volume: float = 14.0
    min_support: float = 1.0


@dataclass(frozen=True)
class LesionChange:
    """A lesion of two visits: the lesions of both that overlap or touch each other.

    Attributes:
        number: of its voxels in :attr:`LesionChanges.groups`, the largest first.
        name: one of :data:`CLASSES`.
        by_masks: the same by its volumes alone.
        earlier: mm^3.
        later: mm^3.
        n_earlier: lesions of the earlier visit in it; more than later where some merged.
        n_later: of the later visit; more than earlier where one was split.
        limit: mm^3, by which its volume has to change to be enlarging or shrinking.
        gained: mm^3, of parts that count as gained: large, more than one voxel from the earlier lesion, and
            brighter than then.
        lost: mm^3, of parts that count as lost, likewise.
        support: how much brighter what changed became than what surrounds it, in standard deviations of the difference
            image; NaN where nothing changed, or without that image.
        center: voxel nearest to its center of mass.
    """

    number: int
    name: str
    by_masks: str
    earlier: float
    later: float
    n_earlier: int
    n_later: int
    limit: float
    gained: float
    lost: float
    support: float
    center: tuple[int, int, int]


@dataclass(frozen=True)
class LesionChanges:
    """All lesions of two visits.

    Attributes:
        changes: one after the other, the largest first.
        groups: ``(x, y, z)``, the number of the lesion at each voxel that is lesion at any of both visits.
    """

    changes: list[LesionChange]
    groups: NDArray[np.int32]

    @property
    def classes(self) -> NDArray[np.uint8]:
        """Labels ``(x, y, z)`` of the classes, 1 for the first of :data:`CLASSES`, 0 without lesion."""
        labels = [0, *(CLASSES.index(change.name) + 1 for change in self.changes)]
        return np.array(labels, np.uint8)[self.groups]

    @property
    def counts(self) -> dict[str, int]:
        """Number of lesions of each class."""
        found = Counter(change.name for change in self.changes)
        return {name: found[name] for name in CLASSES}


DEFAULT_RULE = ChangeRule()

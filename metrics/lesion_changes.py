"""How the lesions of a patient changed from one visit to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.measure import marching_cubes, mesh_surface_area

from .change_classes import DEFAULT_RULE, ChangeRule, LesionChange, LesionChanges
from .change_support import NEIGHBORS, Box, IntensityChange, Mask, placed_in, regions_beyond
from .lesion_places import number_lesions


def find_changes(
    earlier: ArrayLike,
    later: ArrayLike,
    voxel_size: tuple[float, float, float],
    difference: ArrayLike | None = None,
    rule: ChangeRule = DEFAULT_RULE,
) -> LesionChanges:
    """Match the lesions of two visits, and tell what became of each.

    Lesions of both visits that overlap, or lie within one voxel of each other, are one lesion that changed: these are
    the connected components (26 neighbors) of both masks together, however lesions merge and split. It is new without a
    voxel at the earlier visit, and vanished without one at the later. Otherwise it is enlarging or shrinking

    - if its volume changes by more than a shift of its outline explains, ``rule.border`` times its surface (mean of
      both visits, by marching cubes), and by more than ``rule.min_volume``;
    - or if it gained parts more than one voxel away from what it was, each of ``rule.min_volume`` or more, and lost
      less of such parts, by that volume: so growth at one end of a large, confluent lesion is found.

    What changed has to be seen in the images as well: voxels gained must have become brighter than what surrounds them,
    lost ones darker, by ``rule.min_support``. Parts for which that is not so do not count; a lesion for which it is not
    so is uncertain, as are new and vanished ones below ``rule.min_volume``, and lesions that gained parts while their
    volume fell, or the reverse. The rule treats growth and shrinkage, and both visits, alike: exchanging the visits
    exchanges the classes.

    Args:
        earlier: mask ``(x, y, z)`` of lesions at the earlier visit.
        later: mask of the same shape.
        voxel_size: mm.
        difference: intensities of the later visit minus those of the earlier, in standard deviations; NaN outside of
            tissue. Without it only masks count.
        rule: what counts.

    Raises:
        ValueError: if shapes differ.
    """
    masks = [np.asarray(mask) != 0 for mask in (earlier, later)]
    image = None if difference is None else np.asarray(difference)
    shapes = {array.shape for array in (*masks, image) if array is not None}
    if len(shapes) > 1:
        raise ValueError(f"shapes differ: {', '.join(map(str, sorted(shapes)))}")
    groups = number_lesions(masks[0] | masks[1])
    matcher = _Matcher(groups, masks[0], masks[1], IntensityChange(image, groups > 0), voxel_size, rule)
    return LesionChanges(list(matcher), groups)


@dataclass(frozen=True)
class _Matcher:
    """Looks at one group of lesions after the other."""

    groups: NDArray[np.int32]
    earlier: Mask
    later: Mask
    intensities: IntensityChange
    voxel_size: tuple[float, float, float]
    rule: ChangeRule

    def __iter__(self) -> Iterator[LesionChange]:
        boxes = ndimage.find_objects(self.groups)
        return (self._change(number, box) for number, box in enumerate(boxes, start=1))

    def _change(self, number: int, box: Box) -> LesionChange:
        group = self.groups[box] == number
        before, after = group & self.earlier[box], group & self.later[box]
        volumes = self._volume(before), self._volume(after)
        limit = max(self.rule.border * self._surface(before, after), self.rule.min_volume)
        by_masks = _class_of(*volumes, limit)
        support = self._support(by_masks, before, after, box)
        gained, lost = self._beyond(after, before, box, 1), self._beyond(before, after, box, -1)
        return LesionChange(
            number=number,
            name=self._name(by_masks, *volumes, support, gained - lost),
            by_masks=by_masks,
            earlier=volumes[0],
            later=volumes[1],
            n_earlier=ndimage.label(before, NEIGHBORS)[1],
            n_later=ndimage.label(after, NEIGHBORS)[1],
            limit=limit,
            gained=gained,
            lost=lost,
            support=support,
            center=_center(group, box),
        )

    def _name(self, by_masks: str, earlier: float, later: float, support: float, net_gain: float) -> str:
        if by_masks in ("new", "vanished"):
            return by_masks if self._is_large(max(earlier, later)) and self._is_shown(support) else "uncertain"
        if by_masks != "stable" and self._is_shown(support):
            return by_masks
        if not self._is_large(net_gain):
            return "stable" if by_masks == "stable" else "uncertain"
        if self._is_large(later - earlier) and (later > earlier) != (net_gain > 0):
            return "uncertain"  # its volume and its parts tell the opposite
        return "enlarging" if net_gain > 0 else "shrinking"

    def _is_large(self, volume: float) -> bool:
        return abs(volume) >= self.rule.min_volume

    def _is_shown(self, support: float) -> bool:
        """Tell whether images show a change; where nothing is known, masks are believed."""
        return not support < self.rule.min_support

    def _volume(self, mask: Mask) -> float:
        return float(np.prod(self.voxel_size) * np.count_nonzero(mask))

    def _surface(self, before: Mask, after: Mask) -> float:
        return float(np.mean([_surface_area(mask, self.voxel_size) for mask in (before, after)]))

    def _support(self, by_masks: str, before: Mask, after: Mask, box: Box) -> float:
        """Return by how much what was gained became brighter, or what was lost darker; NaN where nothing changed."""
        if by_masks == "stable":
            return np.nan
        grows = by_masks in ("new", "enlarging")
        rise = self.intensities.rise(after & ~before if grows else before & ~after, box)
        return rise if grows else -rise

    def _beyond(self, mask: Mask, other: Mask, box: Box, sign: int) -> float:
        """Return the volume of large parts of ``mask`` away from ``other`` where intensities changed by that sign."""
        parts = [part for part in regions_beyond(mask, other) if self._volume(part[0]) >= self.rule.min_volume]
        rises = [sign * self.intensities.rise(part, placed_in(inner, box)) for part, inner in parts]
        return sum(self._volume(part) for (part, _), rise in zip(parts, rises, strict=True) if self._is_shown(rise))


def _class_of(earlier: float, later: float, limit: float) -> str:
    if earlier == 0 or later == 0:
        return "new" if earlier == 0 else "vanished"
    if abs(later - earlier) <= limit:
        return "stable"
    return "enlarging" if later > earlier else "shrinking"


def _surface_area(mask: Mask, voxel_size: tuple[float, float, float]) -> float:
    """Return the area (mm^2) of the surface of a mask, 0 for an empty one."""
    if not mask.any():
        return 0.0
    points, faces, *_ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5, spacing=voxel_size)
    return float(mesh_surface_area(points, faces))


def _center(group: Mask, box: Box) -> tuple[int, int, int]:
    voxels = np.argwhere(group)
    nearest = voxels[np.linalg.norm(voxels - voxels.mean(0), axis=1).argmin()]
    x, y, z = (int(i) + side.start for i, side in zip(nearest, box, strict=True))
    return x, y, z

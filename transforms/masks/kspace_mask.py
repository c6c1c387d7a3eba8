"""What all sampling masks of k-space share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from monai.transforms import Randomizable
from monai.utils import ensure_tuple, ensure_tuple_rep
from numpy.typing import NDArray
from torch import Tensor

Pattern = NDArray[np.bool_]


class KspaceMask(Randomizable, ABC):
    """Draw which samples of centered k-space are measured; True is sampled.

    The number of samples is ``round(N / acceleration)``, fully sampled center included, of N columns (1D masks) or
    samples (2D masks). So the sampled fraction is 1 / acceleration within half a column or sample.

    Args:
        acceleration: all / sampled, at least 1; of several numbers one is drawn each time.
        center_fraction: of all columns or samples, fully sampled in the middle; one for each acceleration, or for all.
        axes: of k-space; a 1D mask varies along the last of them.
        slice_axis: along which each index has a mask of its own; one mask for all where it is None.

    Attributes:
        mask: what was drawn last, with as many axes as the data, broadcastable.
        acceleration: that it was drawn for.

    Raises:
        ValueError: if an acceleration is less than 1, a center fraction is negative or more than 1 / acceleration, the
            two differ in number, or ``slice_axis`` is one of ``axes``; when called, for data without these axes.
    """

    n_masked_axes: ClassVar[int]

    def __init__(
        self,
        acceleration: float | Sequence[float] = 4.0,
        center_fraction: float | Sequence[float] = 0.08,
        axes: Sequence[int] = (-2, -1),
        slice_axis: int | None = None,
    ) -> None:
        accelerations = ensure_tuple(acceleration)
        fractions = ensure_tuple_rep(center_fraction, len(accelerations))
        self.choices = tuple(zip(map(float, accelerations), map(float, fractions), strict=True))
        for factor, fraction in self.choices:
            if not (math.isfinite(factor) and factor >= 1):
                raise ValueError(f"acceleration must be at least 1, got {factor:g}")
            if not 0 <= fraction <= 1 / factor:
                limit = f"0 to {1 / factor:.3g}, the sampled fraction of acceleration {factor:g}"
                raise ValueError(f"center_fraction must be within {limit}, got {fraction:g}")
        if slice_axis in axes:
            raise ValueError(f"slice_axis must not be one of axes, got {slice_axis} and {tuple(axes)}")
        self.axes = tuple(axes)
        self.masked_axes = self.axes[-self.n_masked_axes :]
        self.slice_axis = slice_axis
        self.acceleration, self.center_fraction = self.choices[0]
        self.mask = torch.ones(())

    @abstractmethod
    def pattern(self, sizes: tuple[int, ...], n_sampled: int, n_center: int) -> Pattern:
        """Draw one mask of shape ``sizes``, with ``n_sampled`` True of which ``n_center`` are the center."""

    def randomize(self, shape: Sequence[int]) -> None:
        """Draw a mask for data of ``shape``, as MONAI does: first the acceleration, then the samples."""
        used = self.masked_axes if self.slice_axis is None else (self.slice_axis, *self.masked_axes)
        n_axes = len(shape)
        if any(not -n_axes <= axis < n_axes for axis in used) or len({axis % n_axes for axis in used}) < len(used):
            raise ValueError(
                f"mask over axes {used} needs data with these axes, all different, got shape {tuple(shape)}"
            )
        self.acceleration, self.center_fraction = self.choices[self.R.randint(0, len(self.choices))]
        sizes = tuple(shape[axis] for axis in self.masked_axes)
        n = math.prod(sizes)
        n_sampled, n_center = max(1, round(n / self.acceleration)), round(n * self.center_fraction)
        n_masks = 1 if self.slice_axis is None else shape[self.slice_axis]
        full = np.ones(sizes, bool)
        masks = [full if n_sampled == n else self.pattern(sizes, n_sampled, n_center) for _ in range(n_masks)]
        drawn = masks[0] if self.slice_axis is None else np.stack(masks)
        drawn = drawn.reshape(*drawn.shape, *[1] * (len(shape) - drawn.ndim))
        self.mask = torch.from_numpy(np.ascontiguousarray(np.moveaxis(drawn, range(len(used)), used)))

    def __call__(self, shape: Sequence[int], randomize: bool = True) -> Tensor:
        """Return a mask for data of ``shape``."""
        if randomize:
            self.randomize(shape)
        return self.mask


def center_columns(n: int, n_center: int) -> Pattern:
    """Return the middle ``n_center`` of ``n`` columns, placed as fastMRI does."""
    mask = np.zeros(n, bool)
    start = (n - n_center + 1) // 2
    mask[start : start + n_center] = True
    return mask


def squared_radius(sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the squared distance from the center of k-space, 1 at the middle of each edge."""
    axes = [(np.arange(n) - n // 2) / max(n / 2, 1) for n in sizes]
    return np.asarray(sum(np.square(axis) for axis in np.ix_(*axes)))


def center_ellipse(sizes: tuple[int, ...], n_center: int) -> Pattern:
    """Return the ``n_center`` samples nearest to the center."""
    mask = np.zeros(math.prod(sizes), bool)
    mask[np.argsort(squared_radius(sizes), axis=None, kind="stable")[:n_center]] = True
    return mask.reshape(sizes)

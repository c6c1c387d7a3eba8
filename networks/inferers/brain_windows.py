"""Sliding windows that follow from the size of the image, and pass by where there is nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from monai.data import MetaTensor
from monai.inferers import Inferer, sliding_window_inference
from monai.utils import fall_back_tuple
from torch import Tensor


class BrainWindowInferer(Inferer):
    """MONAI's sliding windows, weighted by a Gaussian, with fewer voxels to compute.

    Three things differ from ``SlidingWindowInferer``. Windows lie at equal distances instead of a last one that is
    moved back, so that as many of them overlap by more than was asked for. A window may be larger than ``roi_size``
    along an axis, where fewer voxels are computed then. And a window that is zero in all channels, outside of the brain
    as preprocessing leaves it, does not go through the network: its logits say background, with a probability of
    1 - 2e-9 after softmax. A voxel that is not zero lies in no such window, so what it gets is the same.

    Args:
        roi_size: of a window, in voxels, for all or for each axis; -1 for as long as the image.
        overlap: share of a window that the next one covers as well, at least.
        growth: a window is at most so many times as large along an axis, in steps of a quarter; 1 keeps ``roi_size``.
        batch_size: windows at a time, at most; torch's convolutions in float32 of a single small one are slow.
        background: logit of the first channel where nothing is computed; all others, or a single one, get its negative.

    Raises:
        ValueError: if ``growth`` is less than 1.
    """

    def __init__(
        self,
        roi_size: Sequence[int] | int,
        overlap: float = 0.125,
        growth: float = 1.0,
        batch_size: int = 2,
        background: float = 10.0,
    ) -> None:
        super().__init__()
        if growth < 1:
            raise ValueError(f"growth must be at least 1, got {growth}")
        self.roi_size = roi_size
        self.overlap = overlap
        self.growth = growth
        self.batch_size = batch_size
        self.background = background

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Map ``inputs`` ``(b, c, *spatial)`` to the network's output, with the metadata of ``inputs``."""
        values = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        spatial = values.shape[2:]
        given = fall_back_tuple(self.roi_size, spatial)
        sizes = [fitted_size(n, size, self.overlap, self.growth) for n, size in zip(spatial, given, strict=True)]
        overlaps = [even_overlap(n, size, self.overlap) for n, size in zip(spatial, sizes, strict=True)]
        predictor = _PassingBy(network, self.background)
        outputs: Any = sliding_window_inference(
            values, sizes, self.batch_size, predictor, overlaps, "gaussian", *args, **kwargs
        )
        return MetaTensor(outputs, meta=inputs.meta) if isinstance(inputs, MetaTensor) else outputs


class _PassingBy:
    """A network that is not asked about windows of zeros."""

    def __init__(self, network: Callable[..., Any], background: float) -> None:
        self.network = network
        self.background = background
        self._empty: Tensor | None = None

    def __call__(self, windows: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        is_kept = windows.flatten(1).any(1)
        if is_kept.all():
            return self.network(windows, *args, **kwargs)
        if is_kept.any() or self._empty is None:
            asked = windows[is_kept] if is_kept.any() else windows[:1]
            found: Tensor = self.network(asked, *args, **kwargs)
            self._empty = self._background_like(found[:1])
        result = self._empty.repeat(len(windows), *[1] * (windows.ndim - 1))
        if is_kept.any():
            result[is_kept] = found
        return result

    def _background_like(self, output: Tensor) -> Tensor:
        logits = output.new_full(output.shape, -self.background)
        if logits.shape[1] > 1:
            logits[:, 0] = self.background
        return logits


def n_windows(n: int, size: int, overlap: float) -> int:
    """Return how few windows of ``size`` voxels cover ``n`` and overlap by this share at least."""
    return 1 if n <= size else math.ceil((n - size) / max(int(size * (1 - overlap)), 1)) + 1


def fitted_size(n: int, size: int, overlap: float, growth: float) -> int:
    """Return the size, from ``size`` to ``growth`` times it, with which fewest voxels are computed along an axis."""
    step = max(size // 4, 1)
    sizes = range(size, int(size * growth) + 1, step)
    return min(sizes, key=lambda each: (n_windows(n, each, overlap) * each, each))


def even_overlap(n: int, size: int, overlap: float) -> float:
    """Return the overlap with which as many windows lie at equal distances, as MONAI rounds it."""
    count = n_windows(n, size, overlap)
    interval = math.ceil((n - size) / (count - 1)) if count > 1 else size
    return max(1 - (interval + 0.5) / size, 0.0)

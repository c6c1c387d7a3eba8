"""Inference over volumes that may or may not fit into one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from monai.inferers import SlidingWindowInferer
from torch import Tensor


class WholeVolumeOrSlidingWindowInferer(SlidingWindowInferer):
    """Run a network on a whole volume where it is small enough, else on sliding windows.

    One pass is faster than overlapping windows, has no seams, and lets attention see the whole volume. But group and
    instance normalization average over all that goes in: a network with these gives other results on a whole volume
    than on windows of the size that it was trained on, and mostly worse ones.

    Args:
        roi_size: size of a window in voxels.
        max_voxels: volumes of at most so many voxels (of one channel of one subject) go through in one pass;
            0 for none of them, None for all.
        sw_batch_size: number of windows, or of whole volumes, in a batch.
        overlap: fraction of a window that overlaps the next.
        mode: weights by which overlapping windows are blended, ``"gaussian"`` or ``"constant"``.
        options: further arguments of :class:`monai.inferers.SlidingWindowInferer`.

    Raises:
        ValueError: if ``max_voxels`` is negative.
    """

    def __init__(
        self,
        roi_size: Sequence[int] | int,
        max_voxels: int | None = None,
        sw_batch_size: int = 1,
        overlap: Sequence[float] | float = 0.5,
        mode: str = "gaussian",
        **options: Any,
    ) -> None:
        if max_voxels is not None and max_voxels < 0:
            raise ValueError(f"max_voxels must not be negative, got {max_voxels}")
        super().__init__(roi_size, sw_batch_size, overlap, mode, **options)
        self.max_voxels = max_voxels
        # One window as large as the volume: all else (devices, metadata, kinds of outputs) stays MONAI's.
        options["cache_roi_weight_map"] = False
        self.whole_volume = SlidingWindowInferer(-1, sw_batch_size, overlap=0, mode="constant", **options)

    def __call__(
        self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Tensor | tuple[Tensor, ...] | dict[Any, Tensor]:
        """Map ``inputs`` ``(b, c, *spatial)`` to what ``network`` makes of them, as MONAI's inferers do."""
        if self.max_voxels is None or inputs.shape[2:].numel() <= self.max_voxels:
            return self.whole_volume(inputs, network, *args, **kwargs)
        return super().__call__(inputs, network, *args, **kwargs)

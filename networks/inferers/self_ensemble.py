"""Averages of a network's answers to the same image, mirrored and turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations
from typing import Any

from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor


class SelfEnsembleInferer(Inferer):
    """Run another inferer on all mirror images of the input, and average the results, mirrored back.

    The geometric self-ensemble of Timofte et al., CVPR 2016 (doi:10.1109/CVPR.2016.206), with the eight mirror images
    of a volume and without its rotations, which would mix axes of different voxel size. It costs eight times as much,
    and twice as much along one axis alone.

    Args:
        inferer: does the work.
        enabled: leave the inferer as it is otherwise.
        axes: spatial axes to mirror along, from 0; all by default.

    Raises:
        ValueError: if an axis is negative or named twice; when called, if the image has no such axis.
    """

    def __init__(self, inferer: Inferer, enabled: bool = True, axes: Sequence[int] | None = None) -> None:
        super().__init__()
        if axes is not None and (len(set(axes)) < len(axes) or any(axis < 0 for axis in axes)):
            raise ValueError(f"axes must be spatial axes from 0, each once, got {list(axes)}")
        self.inferer = inferer
        self.enabled = enabled
        self.axes = axes

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Map ``inputs`` ``(b, c, *spatial)`` to the average."""
        values = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        if not self.enabled:
            return self.inferer(values, network, *args, **kwargs)
        dims = range(values.ndim - 2) if self.axes is None else self.axes
        if any(axis >= values.ndim - 2 for axis in dims):
            raise ValueError(f"axes must be below {values.ndim - 2} for this image, got {list(dims)}")
        mirrors = list(_subsets([axis + 2 for axis in dims]))
        results = (self.inferer(values.flip(axes), network, *args, **kwargs).flip(axes) for axes in mirrors)
        return sum(results, 0) / len(mirrors)


def _subsets(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(axes, n) for n in range(len(axes) + 1))

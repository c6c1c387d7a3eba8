"""Averages of a network's answers to the same image, mirrored and turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations
from typing import Any

from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor


class SelfEnsembleInferer(Inferer):
    """Run another inferer on all mirror images of the input, and average the results, mirrored back.

    The geometric self-ensemble of Timofte et al., CVPR 2016 (doi:10.1109/CVPR.2016.206), with the eight mirror images
    of a volume and without its rotations, which would mix axes of different voxel size. It costs eight times as much.

    Args:
        inferer: does the work.
        enabled: leave the inferer as it is otherwise.
    """

    def __init__(self, inferer: Inferer, enabled: bool = True) -> None:
        super().__init__()
        self.inferer = inferer
        self.enabled = enabled

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Map ``inputs`` ``(b, c, *spatial)`` to the average."""
        values = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        if not self.enabled:
            return self.inferer(values, network, *args, **kwargs)
        results = (
            self.inferer(values.flip(axes), network, *args, **kwargs).flip(axes) for axes in _mirrors(values.ndim)
        )
        return sum(results, 0) / 2 ** (values.ndim - 2)


def _mirrors(ndim: int) -> Iterator[tuple[int, ...]]:
    axes = range(2, ndim)
    return chain.from_iterable(combinations(axes, n) for n in range(len(axes) + 1))

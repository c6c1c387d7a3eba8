"""Mixing of contrasts, so that a network does not rely on the tissue contrast of one protocol."""

from __future__ import annotations

import numpy as np
from monai.transforms import RandomizableTransform
from monai.utils import convert_to_dst_type
from numpy.typing import NDArray
from torch import Tensor

from .keyed import OneDrawKeyedTransform


class RandContrastMix(RandomizableTransform):
    """Add a little of each contrast to each other one: ``x_i + sum_j e_ij x_j`` over ``j != i``.

    Sequences differ in how much of T1 and T2 weighs in each of their contrasts; a FLAIR minus some of the T1w has the
    brighter gray matter of a longer echo time. For normalized intensities.

    Args:
        prob: probability that it is done.
        spread: standard deviation of each ``e_ij``, normal around zero.

    Raises:
        ValueError: if ``spread`` is negative.
    """

    def __init__(self, prob: float = 0.5, spread: float = 0.15) -> None:
        RandomizableTransform.__init__(self, prob)
        if spread < 0:
            raise ValueError(f"spread must not be negative, got {spread}")
        self.spread = spread
        self.shares: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def randomize(self, n_contrasts: int) -> None:
        """Draw whether, and the shares ``(n_contrasts, n_contrasts)``."""
        super().randomize(None)
        shares = self.R.normal(0, self.spread, (n_contrasts, n_contrasts))
        self.shares = (shares * (1 - np.eye(n_contrasts))).astype(np.float32)

    def __call__(self, image: Tensor, randomize: bool = True) -> Tensor:
        """Mix ``(c, *spatial)``; what is zero in all contrasts stays zero."""
        if randomize:
            self.randomize(image.shape[0])
        if not self._do_transform:
            return image
        shares = convert_to_dst_type(self.shares, image)[0]
        mixed: Tensor = image + (shares @ image.flatten(1)).view(image.shape)
        return mixed


class RandContrastMixd(OneDrawKeyedTransform):
    """Dictionary version of :class:`RandContrastMix`; one draw for all keys."""

    array = RandContrastMix

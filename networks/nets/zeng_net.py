"""Super-resolution of one contrast, then its refinement by another: after Zeng et al."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...operators.resampling import resample_cubic
from ..blocks import edsr_chain
from .edsr import EDSR


class ZengNet(nn.Module):
    """Super-resolve the target alone, then correct it by a network that sees the guide too.

    After Zeng et al., "Simultaneous Single- and Multi-Contrast Super-Resolution for Brain MRI Images Based on a
    Convolutional Neural Network", Comput Biol Med 2018, 99:133. Their layers are not reproduced: both parts are built
    of the residual blocks of EDSR, on which SANet's authors say that they built it (arXiv:2109.01664). The second part
    starts from the first one's image, and that from cubic interpolation to a grid with the same center of its first
    pixel.

    Args:
        scale: 3 or a power of two.
        n_blocks: number of residual blocks of each part.
        width: number of features.

    Raises:
        ValueError: if ``scale`` is another number.
    """

    def __init__(self, scale: int = 2, n_blocks: int = 8, width: int = 64) -> None:
        super().__init__()
        self.single = EDSR(scale, 1, n_blocks, width)
        self.multi = edsr_chain(width, n_blocks, 2, 1)

    def forward(self, low: Tensor, auxiliary: Tensor) -> Tensor:
        """Map the target ``(b, 1, h, w)`` and the guide ``(b, 1, scale h, scale w)`` to the shape of the guide."""
        image = resample_cubic(low, auxiliary.shape[2:], grid="first_voxel") + self.single(low)
        return image + self.multi(torch.cat([image, auxiliary], 1))

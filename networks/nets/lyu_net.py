"""Super-resolution in steps, with both contrasts joined as features: after Lyu et al."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ...operators.resampling import resample_cubic
from ..blocks import SubpixelUpsampling, edsr_chain


class LyuNet(nn.Module):
    """Enlarge the target in steps of two (or one of three), and join it with features of the guide after each.

    After Lyu et al., "Multi-Contrast Super-Resolution MRI Through a Progressive Network", IEEE Trans Med Imaging 2020,
    39:2738 (arXiv:1908.01612): one level for low and two for high factors, and contrasts that join in the space of
    high-level features. Their layers and their adversarial, perceptual and textural losses are not reproduced: levels
    are built of the residual blocks of EDSR. Each adds to the cubic interpolation of the image before it, and a coarser
    one sees the guide smoothed and thinned out. All grids share the center of their first pixel.

    Args:
        scale: 3 or a power of two above one.
        n_blocks: number of residual blocks of each of the three parts of a level.
        width: number of features.

    Raises:
        ValueError: if ``scale`` is another number.
    """

    def __init__(self, scale: int = 2, n_blocks: int = 4, width: int = 64) -> None:
        super().__init__()
        if scale != 3 and (scale < 2 or scale & (scale - 1)):
            raise ValueError(f"scale must be 3 or a power of two above one, got {scale}")
        self.factors = [3] if scale == 3 else [2] * (scale.bit_length() - 1)
        self.levels = nn.ModuleList(_Level(factor, n_blocks, width) for factor in self.factors)

    def forward(self, low: Tensor, auxiliary: Tensor) -> Tensor:
        """Map the target ``(b, 1, h, w)`` and the guide ``(b, 1, scale h, scale w)`` to the shape of the guide."""
        guides = [auxiliary]
        for _ in self.factors[1:]:
            guides.append(F.avg_pool2d(guides[-1], 3, stride=2, padding=1, count_include_pad=False))
        image = low
        for guide, level in zip(reversed(guides), self.levels, strict=True):
            image = level(image, guide)
        return image


class _Level(nn.Module):
    def __init__(self, factor: int, n_blocks: int, width: int) -> None:
        super().__init__()
        self.target = nn.Sequential(edsr_chain(width, n_blocks, 1), SubpixelUpsampling(width, factor))
        self.guide = edsr_chain(width, n_blocks, 1)
        self.join = edsr_chain(width, n_blocks, 2 * width, 1)

    def forward(self, image: Tensor, guide: Tensor) -> Tensor:
        enlarged = resample_cubic(image, guide.shape[2:], grid="first_voxel")
        return enlarged + self.join(torch.cat([self.target(image), self.guide(guide)], 1))

"""Anti-aliasing, then super-resolution of an interpolated image: after SMORE."""

from __future__ import annotations

from torch import Tensor, nn

from ...operators.resampling import resample_cubic
from .edsr import EDSR


class SMORENet(nn.Module):
    """Interpolate, remove aliasing, and restore resolution, each of the latter by an EDSR.

    After Zhao et al., "SMORE: A Self-Supervised Anti-Aliasing and Super-Resolution Algorithm for MRI Using Deep
    Learning", IEEE Trans Med Imaging 2021, 40:805. SMORE is trained on the very volume that it is to improve, by pairs
    of its sharp in-plane slices and blurred copies of them, and applied across slices. This is the network alone, for
    one contrast in-plane as in SANet's comparison (arXiv:2109.01664): what it is trained on is the trainer's to decide.
    Cubic interpolation keeps the center of the first pixel, as truncation of k-space does.

    Args:
        scale: any factor above zero.
        n_blocks: number of residual blocks of each part.
        width: number of features.

    Raises:
        ValueError: if ``scale`` is not positive.
    """

    def __init__(self, scale: float = 2, n_blocks: int = 16, width: int = 64) -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"scale must be positive, got {scale}")
        self.scale = scale
        self.anti_aliasing = EDSR(1, 1, n_blocks, width)
        self.super_resolution = EDSR(1, 1, n_blocks, width)

    def forward(self, low: Tensor) -> Tensor:
        """Map images ``(b, 1, h, w)`` to ``(b, 1, scale h, scale w)``."""
        size = [round(self.scale * n) for n in low.shape[2:]]
        image = resample_cubic(low, size, grid="first_voxel")
        image = image + self.anti_aliasing(image)
        return image + self.super_resolution(image)

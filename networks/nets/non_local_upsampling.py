"""Non-local upsampling: a classical baseline of super-resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ...operators.non_local_means import non_local_means
from .interpolation import Interpolation

PEAK = 256.0  # of the intensities that the tolerance is meant for
SLOW_PROGRESS = 1.2  # ratio of two changes below which the filter gets finer


class NonLocalUpsampling(nn.Module):
    """Sharpen an interpolated volume by non-local means, its block means kept. It has no parameters.

    After Manjon et al. 2010, Med Image Anal 14:784, doi:10.1016/j.media.2010.05.010. From the cubic spline, two steps
    take turns: non-local means, and a correction so that the mean of the voxels that a voxel was split into is its
    value. The filter's strength at a voxel is half of the local standard deviation, and is halved whenever the
    changes shrink by less than 1.2 times, until they are below ``tolerance``.

    Patches are compared as in :func:`mri_attention.operators.non_local_means`; the selection of similar patches by
    their means, which saves time, is left out.

    Args:
        scale: number of voxels that one becomes along each axis.
        search_radius: how far away similar patches are looked for, in voxels of the result.
        patch_radius: of the patches that are compared.
        tolerance: mean absolute change that ends it, of a peak of 256.
        max_iterations: ends it at the latest.

    Raises:
        ValueError: if ``scale`` or ``search_radius`` is below one.
    """

    def __init__(
        self,
        scale: int = 2,
        search_radius: int = 3,
        patch_radius: int = 1,
        tolerance: float = 1e-3,
        max_iterations: int = 30,
    ) -> None:
        super().__init__()
        if search_radius < 1:
            raise ValueError(f"search_radius must not be below 1, got {search_radius}")
        self.scale = scale
        self.interpolation = Interpolation(scale, "spline")
        self.search_radius = search_radius
        self.patch_radius = patch_radius
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 1, *spatial)``, 2D or 3D, to ``(b, 1, *(scale * spatial))``, one sample after the other."""
        return torch.cat([self._upsample(sample) for sample in x.split(1)])

    def _upsample(self, x: Tensor) -> Tensor:
        peak = x.abs().max()
        factor = PEAK / peak.where(peak > 0, 1.0)
        low = x * factor
        image = self._with_block_means(self.interpolation(low), low)
        variance = _local_mean(image**2, 1) - _local_mean(image, 1) ** 2
        strength = variance.clamp(min=0).sqrt() / 2
        previous = torch.inf
        for _ in range(self.max_iterations):
            filtered = self._with_block_means(self._smoothed(image, strength), low)
            change = float((filtered - image).abs().mean())
            image = filtered
            if change < self.tolerance:
                break
            if previous / change < SLOW_PROGRESS:
                strength = strength / 2
            previous = change
        return image / factor

    def _smoothed(self, image: Tensor, strength: Tensor) -> Tensor:
        return non_local_means(image[0, 0], strength[0, 0], self.search_radius, self.patch_radius)[None, None]

    def _with_block_means(self, image: Tensor, low: Tensor) -> Tensor:
        error = low - _pool(image, self.scale, self.scale)
        return image + F.interpolate(error, image.shape[2:], mode="nearest")


def _local_mean(image: Tensor, radius: int) -> Tensor:
    padded = F.pad(image, [radius] * (2 * (image.ndim - 2)), mode="replicate")
    return _pool(padded, 2 * radius + 1, 1)


def _pool(image: Tensor, size: int, stride: int) -> Tensor:
    return F.avg_pool2d(image, size, stride) if image.ndim == 4 else F.avg_pool3d(image, size, stride)

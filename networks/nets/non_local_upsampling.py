"""Non-local upsampling: a classical baseline of super-resolution."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .interpolation import Interpolation

PEAK = 256.0  # of the intensities that the tolerance is meant for
SLOW_PROGRESS = 1.2  # ratio of two changes below which the filter gets finer


class NonLocalUpsampling(nn.Module):
    """Sharpen an interpolated volume by non-local means, its block means kept. It has no parameters.

    After Manjon et al. 2010, Med Image Anal 14:784, doi:10.1016/j.media.2010.05.010. From the cubic spline, two steps
    take turns: non-local means, and a correction so that the mean of the voxels that a voxel was split into is its
    value. The filter's strength at a voxel is half of the local standard deviation, and is halved whenever the
    changes shrink by less than 1.2 times, until they are below ``tolerance``.

    Patches are compared by the mean of squared differences, and a voxel weighs as much in its own mean as the most
    similar other one; the selection of similar patches by their means, which saves time, is left out.

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
            filtered = self._with_block_means(self._non_local_means(image, strength), low)
            change = float((filtered - image).abs().mean())
            image = filtered
            if change < self.tolerance:
                break
            if previous / change < SLOW_PROGRESS:
                strength = strength / 2
            previous = change
        return image / factor

    def _with_block_means(self, image: Tensor, low: Tensor) -> Tensor:
        error = low - _pool(image, self.interpolation.scale, self.interpolation.scale)
        return image + F.interpolate(error, image.shape[2:], mode="nearest")

    def _non_local_means(self, image: Tensor, strength: Tensor) -> Tensor:
        radius, shape = self.search_radius, image.shape[2:]
        padded = F.pad(image, [radius] * (2 * len(shape)), mode="replicate")
        width = strength.square().clamp(min=torch.finfo(image.dtype).tiny)
        total, weights, largest = (torch.zeros_like(image) for _ in range(3))
        for offset in product(range(2 * radius + 1), repeat=len(shape)):
            if all(step == radius for step in offset):
                continue
            place = (slice(step, step + n) for step, n in zip(offset, shape, strict=True))
            shifted = (slice(None), slice(None), *place)
            other = padded[shifted]
            weight = torch.exp(-_local_mean((image - other) ** 2, self.patch_radius) / width)
            total += weight * other
            weights += weight
            largest = torch.maximum(largest, weight)
        largest = largest.where(largest > 0, 1.0)
        return (total + largest * image) / (weights + largest)


def _local_mean(image: Tensor, radius: int) -> Tensor:
    padded = F.pad(image, [radius] * (2 * (image.ndim - 2)), mode="replicate")
    return _pool(padded, 2 * radius + 1, 1)


def _pool(image: Tensor, size: int, stride: int) -> Tensor:
    return F.avg_pool2d(image, size, stride) if image.ndim == 4 else F.avg_pool3d(image, size, stride)

"""Non-local means of images and volumes, with a strength of their own at each voxel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor

CHUNK = 2**17  # voxels that are compared at a time, so that what is computed of them stays in the cache
LOG2_E = math.log2(math.e)  # exp(x) = exp2(x log2(e)), which stays fast where it comes near zero


def non_local_means(image: Tensor, strength: Tensor, search_radius: int = 3, patch_radius: int = 1) -> Tensor:
    """Average each voxel with those around it whose patches look alike.

    ``y_i = sum_j w_ij x_j / sum_j w_ij`` with ``w_ij = exp(-|P_i - P_j|^2 / (n h_i^2))`` (Buades et al. 2005,
    doi:10.1109/CVPR.2005.38), where P are patches of n voxels and h is the strength. A voxel weighs as much in its own
    mean as the most similar other one. The outermost voxels are repeated beyond the border.

    The difference of two patches serves both of their voxels. In a volume that is padded and laid out as one row, all
    pairs of an offset are as far apart, so that each step is one over stretches of memory.

    Args:
        image: real, of any number of axes.
        strength: h, like ``image``, not negative.
        search_radius: how far away similar patches are looked for, in voxels.
        patch_radius: of the patches, in voxels.
    """
    margin = search_radius + patch_radius
    row, inside = _padded(image, margin)
    n_patch = (2 * patch_radius + 1) ** image.ndim
    width = n_patch * strength.square().clamp(min=torch.finfo(image.dtype).tiny)
    falloff = _padded(-LOG2_E / width, margin)[0].flatten()
    steps, values = row.stride(), row.flatten()
    total, weights, largest = (torch.zeros_like(values) for _ in range(3))
    reach = patch_radius * sum(steps)
    end = len(values) - margin * sum(steps)
    shifts = list(_half_of_shifts(search_radius, steps))
    for start in range(reach, end, CHUNK):
        stop = min(start + CHUNK, end)
        near = values[start - reach : stop + reach]
        for shift in shifts:
            distance = (values[start - reach + shift : stop + reach + shift] - near).square_()
            for step in steps:
                distance = _sum_along(distance, step, patch_radius)
            here, there = slice(start, stop), slice(start + shift, stop + shift)
            for one, other in ((here, there), (there, here)):
                weight = torch.mul(distance, falloff[one]).exp2_()
                total[one].addcmul_(weight, values[other])
                weights[one] += weight
                torch.maximum(largest[one], weight, out=largest[one])
    largest.masked_fill_(largest == 0, 1.0)
    mean = total.addcmul_(largest, values).div_(weights.add_(largest))
    return mean.view_as(row)[inside].contiguous()


def _padded(image: Tensor, margin: int) -> tuple[Tensor, tuple[slice, ...]]:
    """Repeat the outermost voxels; return where the image is in the result too."""
    places = [torch.arange(-margin, n + margin, device=image.device).clamp(0, n - 1) for n in image.shape]
    for axis, place in enumerate(places):
        image = image.index_select(axis, place)
    return image.contiguous(), tuple(slice(margin, n - margin) for n in image.shape)


def _half_of_shifts(radius: int, steps: Sequence[int]) -> Iterator[int]:
    """Distances in memory of all offsets, without those that are the negative of another, and without zero."""
    for offset in product(range(-radius, radius + 1), repeat=len(steps)):
        if offset > (0,) * len(steps):
            yield sum(o * step for o, step in zip(offset, steps, strict=True))


def _sum_along(values: Tensor, step: int, radius: int) -> Tensor:
    """Sum 2 * radius + 1 neighbors along an axis whose neighbors are ``step`` apart in memory."""
    n = len(values) - 2 * radius * step
    out = values[:n] + values[step : step + n] if radius else values
    for k in range(2, 2 * radius + 1):
        out += values[k * step : k * step + n]
    return out

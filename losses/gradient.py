"""Loss of a map by the steepness of its rises."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules.loss import _Loss

NEIGHBORS = [offset for offset in product((-1, 0, 1), repeat=3) if any(offset)]


class GradientLoss(_Loss):
    """Mean absolute difference of the rises of two maps: the gradient loss of QSMnet, as its published code has it.

    Yoon et al. 2018, NeuroImage 179:199, doi:10.1016/j.neuroimage.2018.06.030. The rise at a voxel is the sum, over its
    26 neighbors, of ``max(neighbor - voxel, 0) / distance``, with distances of 1, sqrt(2) and sqrt(3) voxels whatever
    the voxel size. The outermost voxels, which lack neighbors, do not count.
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare maps ``(b, c, x, y, z)`` of at least three voxels along each axis."""
        return F.l1_loss(rise(prediction), rise(target))


def rise(image: Tensor) -> Tensor:
    """Return the rise at the inner voxels, ``(b, c, x - 2, y - 2, z - 2)``."""
    size = [n - 2 for n in image.shape[-3:]]
    center = image[..., 1:-1, 1:-1, 1:-1]
    total = torch.zeros_like(center)
    for offset in NEIGHBORS:
        x, y, z = (slice(1 + o, 1 + o + n) for o, n in zip(offset, size, strict=True))
        total = total + F.relu(image[..., x, y, z] - center) / sum(map(abs, offset)) ** 0.5
    return total

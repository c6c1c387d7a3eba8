"""Channel attention, then spatial attention: CBAM."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .convolutions import convolution


class ChannelSpatialAttention(nn.Module):
    """Weight each channel, then each voxel, of 2D or 3D features.

    Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018 (arXiv:1807.06521)::

        F'  = M_c(F) F,    F'' = M_s(F') F'                               Eq. 1
        M_c = sigmoid(W1 relu(W0 avg F) + W1 relu(W0 max F))              Eq. 2, over space
        M_s = sigmoid(conv([avg F', max F']))                             Eq. 3, over channels

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        reduction: by how much W0 narrows the channels, to one at least.
        kernel_size: odd size of the convolution of M_s.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``reduction`` is below one, or ``kernel_size`` is even.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, reduction: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"reduction must not be below 1, got {reduction}")
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        width = max(1, in_channels // reduction)
        self.channel = nn.Sequential(nn.Linear(in_channels, width), nn.ReLU(), nn.Linear(width, in_channels))
        self.spatial = convolution(spatial_dims)(2, 1, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        weighted = self._weigh_channels(x) * x
        return (self._weigh_voxels(weighted) * weighted).to(x.dtype)

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the maps of ``x`` ``(b, c, *spatial)``, between 0 and 1.

        The keys are ``channel``, ``(b, c, 1, ...)``, and ``spatial``, ``(b, 1, *spatial)``.
        """
        channel = self._weigh_channels(x)
        return {"channel": channel, "spatial": self._weigh_voxels(channel * x)}

    def _weigh_channels(self, x: Tensor) -> Tensor:
        voxels = x.flatten(2)
        weights = (self.channel(voxels.mean(2)) + self.channel(voxels.amax(2))).sigmoid()
        return weights.unflatten(1, (-1, *(1 for _ in x.shape[2:])))

    def _weigh_voxels(self, x: Tensor) -> Tensor:
        return self.spatial(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)).sigmoid()

"""T1-guided attention: where and in which channels another contrast says something."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from .convolutions import convolution


class T1GuidedAttention(nn.Module):
    """Multiply features by those of a guide, weighted by channel and by voxel.

    The T1-guided attention of MANet: Feng et al., "Multi-modal Aggregation Network for Fast MR Imaging" (arXiv:
    2110.08080), Eq. 8-15, for features T2 of the target and T1 of the guide::

        t = sigmoid(W2 relu(W1 max over space of T1)) T1
        s = sigmoid(conv7 of the max over channels of t) t
        y = T2 s + T2

    without biases. The prose says average pooling; equations and code have the maximum.

    Args:
        in_channels: number of channels of target, guide and output.
        spatial_dims: 2 or 3.
        reduction: by how much W1 narrows the channels, to one at least.
        kernel_size: odd size of the convolution.
        pooling: ``"max"`` or ``"average"``, over space and over channels.
        order: ``"channel-spatial"`` as above, or ``"spatial-channel"``.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``reduction`` is below one, ``kernel_size`` is even, or
            ``pooling`` or ``order`` is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        reduction: int = 16,
        kernel_size: int = 7,
        pooling: Literal["max", "average"] = "max",
        order: Literal["channel-spatial", "spatial-channel"] = "channel-spatial",
    ) -> None:
        super().__init__()
        if reduction < 1 or kernel_size % 2 == 0:
            raise ValueError(f"reduction must not be below 1 and kernel_size odd, got {reduction=}, {kernel_size=}")
        if pooling not in ("max", "average"):
            raise ValueError(f'pooling must be "max" or "average", got {pooling!r}')
        if order not in ("channel-spatial", "spatial-channel"):
            raise ValueError(f'order must be "channel-spatial" or "spatial-channel", got {order!r}')
        width = max(1, in_channels // reduction)
        self.channel = nn.Sequential(
            nn.Linear(in_channels, width, bias=False), nn.ReLU(), nn.Linear(width, in_channels, bias=False)
        )
        self.spatial = convolution(spatial_dims)(1, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.pool = torch.amax if pooling == "max" else torch.mean
        self.order = order

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map features of the target ``(b, c, *spatial)`` and of the guide, of one shape, to the same shape."""
        weights = self.attention_weights(x, context)
        return x + (x * (context * weights["channel"] * weights["spatial"])).to(x.dtype)

    def attention_weights(self, x: Tensor, context: Tensor) -> dict[str, Tensor]:
        """Return the weights of the guide, between 0 and 1, which do not depend on the target.

        The keys are ``channel``, ``(b, c, 1, ...)``, and ``spatial``, ``(b, 1, *spatial)``.
        """
        if self.order == "channel-spatial":
            channel = self._weigh_channels(context)
            return {"channel": channel, "spatial": self._weigh_voxels(context * channel)}
        spatial = self._weigh_voxels(context)
        return {"channel": self._weigh_channels(context * spatial), "spatial": spatial}

    def _weigh_channels(self, x: Tensor) -> Tensor:
        weights = self.channel(self.pool(x.flatten(2), dim=2)).sigmoid()
        return weights.view([x.shape[0], x.shape[1]] + [1] * (x.ndim - 2))

    def _weigh_voxels(self, x: Tensor) -> Tensor:
        return self.spatial(self.pool(x, dim=1, keepdim=True)).sigmoid()

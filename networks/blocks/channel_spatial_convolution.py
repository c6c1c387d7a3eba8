"""Channel-spatial attention by a 3D convolution over channel and space."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelSpatialConvolution(nn.Module):
    """Weight each pixel of each channel by its neighbors in space and among the channels.

    The channel-spatial attention module of HAN (Niu et al., ECCV 2020, arXiv:2008.08767), as MINet and SANet use it
    (Feng et al. 2024, arXiv:2109.01664)::

        y = x + gamma sigmoid(conv x) x

    where conv is one 3x3x3 kernel over ``(c, h, w)``, so that the order of channels counts. gamma starts at zero, as
    in HAN and in the authors' code; the paper has none. Features are 2D, as volumes would need a 4D convolution. The
    block has 29 parameters whatever the number of channels.

    Args:
        gamma: where gamma starts.
    """

    def __init__(self, gamma: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 1, 3, padding=1)
        self.gamma = nn.Parameter(torch.tensor(float(gamma)))

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype.

        Raises:
            ValueError: if ``x`` has another number of axes.
        """
        return x + (self.gamma * self.attention_weights(x)).to(x.dtype) * x

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the weights for ``x`` ``(b, c, h, w)``, of the same shape, between 0 and 1 and before gamma."""
        if x.ndim != 4:
            raise ValueError(f"x must have the shape (b, c, h, w), got {tuple(x.shape)}")
        weights: Tensor = self.conv(x[:, None])[:, 0].sigmoid()
        return weights

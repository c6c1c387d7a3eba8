"""Channel-spatial attention by a 3D convolution over channel and space."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class ChannelSpatialConvolution(nn.Module):
    """Weight each pixel of each channel by its neighbors in space and among the channels.

    The channel-spatial attention module of HAN (Niu et al., ECCV 2020, arXiv:2008.08767), as MINet and SANet use it
    (Feng et al. 2024, arXiv:2109.01664)::

        y = x + gamma sigmoid(conv x) x

    where conv is one 3x3x3 kernel over ``(c, h, w)``, so that the order of channels counts. gamma starts at zero, as
    in HAN and in the authors' code; the paper has none. Features are 2D, as volumes would need a 4D convolution. The
    block has 29 parameters whatever the number of channels, 28 without gamma.

    It is computed as a 2D convolution between all channels whose weights are zero but for neighbors: the same function,
    with more operations, and faster, as libraries are slow at convolutions of a single channel.

    Args:
        gamma: where gamma starts; ``None`` for none, which is one that stays 1, as in the paper.
    """

    def __init__(self, gamma: float | None = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 1, 3, padding=1)
        self.gamma = 1.0 if gamma is None else nn.Parameter(torch.tensor(float(gamma)))

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype.

        Raises:
            ValueError: if ``x`` has another number of axes.
        """
        return x + (self.gamma * self.attention_weights(x)).to(x.dtype) * x

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the weights for ``x`` ``(b, c, h, w)``, of the same shape, between 0 and 1 and before gamma."""
        if x.ndim != 4:
            raise ValueError(f"x must have the shape (b, c, h, w), got {list(x.shape)}")
        kernel, bias = self._planar(x.shape[1])
        return F.conv2d(x, kernel, bias, padding=1).sigmoid()

    def _planar(self, n_channels: int) -> tuple[Tensor, Tensor]:
        """Return kernel ``(c, c, 3, 3)`` and bias ``(c,)`` of the 2D convolution that is the 3D one over channels."""
        bias = self.conv.bias
        assert bias is not None
        kernel = self.conv.weight.new_zeros(n_channels, n_channels, 3, 3)
        for index, plane in enumerate(self.conv.weight[0, 0].unbind()):
            offset = index - 1
            inside = torch.arange(max(-offset, 0), n_channels - max(offset, 0), device=kernel.device)
            places: list[Tensor | None] = [inside, inside + offset]
            kernel = kernel.index_put(places, plane.expand(len(inside), 3, 3))
        return kernel, bias.expand(n_channels)

"""Dense block whose layers get the sum of what came before."""

from __future__ import annotations

import torch
from monai.networks.layers import Norm
from torch import Tensor, nn

from .convolutions import convolution


class AdditiveDenseBlock(nn.Module):
    """Convolve several times; add earlier results before each normalization.

    The block of MANet's released code (Feng et al., arXiv:2110.08080), for ``o_0 = x``::

        u_i = conv_i(o_i) + o_0 + ... + o_(i-1)
        o_(i+1) = relu(norm(u_i))

    The last one is the output. Unlike the dense block of Huang et al. (CVPR 2017, arXiv:1608.06993), which
    concatenates, it keeps the number of channels.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        n_convs: number of 3x3 convolutions.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``n_convs`` is below one.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, n_convs: int = 4) -> None:
        super().__init__()
        if n_convs < 1:
            raise ValueError(f"n_convs must not be below 1, got {n_convs}")
        conv, norm = convolution(spatial_dims), Norm[Norm.BATCH, spatial_dims]
        self.convs = nn.ModuleList(conv(in_channels, in_channels, 3, padding=1) for _ in range(n_convs))
        self.norms = nn.ModuleList(norm(in_channels) for _ in range(n_convs))

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        earlier, output = x.new_zeros(()), x
        for conv, norm in zip(self.convs, self.norms):  # noqa: B905 (TorchScript has no strict)
            output, earlier = torch.relu(norm(conv(output) + earlier)), earlier + output
        return output.to(x.dtype)

"""Channel attention: squeeze and excitation."""

from __future__ import annotations

from monai.networks.blocks import ChannelSELayer
from torch import Tensor


class ChannelAttention(ChannelSELayer):
    """Weight each channel by what all channels are on average.

    Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018 (arXiv:1709.01507), in the form of RCAN (Zhang et
    al., ECCV 2018, arXiv:1807.02758)::

        z = mean of x over space            Eq. 2
        s = sigmoid(W2 relu(W1 z))          Eq. 3
        y = s x                             Eq. 4

    It is MONAI's layer with the arguments of the other blocks. W1 and W2 have biases, as in RCAN, or none.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        reduction: by how much W1 narrows the channels, to one at least.
        bias: whether W1 and W2 have biases.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``reduction`` is below one.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, reduction: int = 16, bias: bool = True) -> None:
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}")
        if reduction < 1:
            raise ValueError(f"reduction must not be below 1, got {reduction}")
        super().__init__(spatial_dims, in_channels, r=min(reduction, in_channels))
        if not bias:
            for index in (0, 2):
                self.fc[index].register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return (x * self.attention_weights(x).view([x.shape[0], x.shape[1]] + [1] * (x.ndim - 2))).to(x.dtype)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return s for ``x`` ``(b, c, *spatial)``: ``(b, c)``, between 0 and 1."""
        return self.fc(self.avg_pool(x).flatten(1))

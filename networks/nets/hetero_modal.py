"""Networks for inputs of which some contrasts may be missing."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class HeteroModalNetwork(nn.Module):
    """Tell a network which of its channels are there: ``y = network([x, p])``, ``p_i = 1`` where ``x_i`` is not zero.

    A contrast that is missing is a channel of zeros. For each channel another one is appended, constant over space: 1
    if the channel holds anything but zeros in this input, else 0. Zeros within a z-scored image mean its average; with
    these channels they mean that nothing is known. The name is that of Havaei et al., HeMIS: Hetero-Modal Image
    Segmentation, MICCAI 2016 (arXiv:1607.05194), who average embeddings of those contrasts that are there, and leave
    contrasts out at random in training, as :class:`mri_attention.transforms.RandDropContrasts` does. It departs from
    theirs in that all contrasts meet in the network's first convolution.

    Args:
        network: takes twice as many channels as there are contrasts.

    Example:
        >>> HeteroModalNetwork(nn.Conv3d(6, 2, 3, padding=1))(torch.zeros(1, 3, 8, 9, 10)).shape
        torch.Size([1, 2, 8, 9, 10])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Map contrasts ``(b, c, *spatial)`` to what the network makes of ``(b, 2 c, *spatial)``."""
        return self.network(torch.cat([x, presence(x).expand_as(x)], 1))


def presence(x: Tensor) -> Tensor:
    """Return 1 for channels of ``x`` ``(b, c, *spatial)`` that hold anything but zeros, else 0: ``(b, c, 1, ...)``."""
    return (x.abs().amax(list(range(2, x.ndim)), keepdim=True) > 0).to(x.dtype)

"""Convolutions as blocks and networks are built of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from monai.networks.layers import Conv, Norm
from torch import nn


def convolution(spatial_dims: int) -> Any:
    """Return torch's class of convolutions along that many axes.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3.
    """
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}")
    return Conv[Conv.CONV, spatial_dims]


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """Make a convolution of 3x3 that keeps the size, but for its stride."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)


def conv_norm_relu(
    in_channels: int, out_channels: int, spatial_dims: int, norm: str | None = "batch", *, bias: bool = True
) -> nn.Sequential:
    """Make a convolution of width 3 that keeps the size, with a normalization, or none, and ReLU."""
    conv = convolution(spatial_dims)(in_channels, out_channels, 3, padding=1, bias=bias)
    norms = [] if norm is None else [Norm[norm, spatial_dims](out_channels)]
    return nn.Sequential(conv, *norms, nn.ReLU(inplace=True))


def start_at_zero(*modules: nn.Module) -> None:
    """Set weights and biases to zero, so that a residual network starts as the identity."""
    for parameter in (p for module in modules for p in module.parameters()):
        nn.init.zeros_(parameter)


def convolution_chain(convolutions: Iterable[nn.Module]) -> nn.Sequential:
    """Call them ``conv1``, ``conv2`` and so on, as in the weights of Pham et al.; ``relu1`` follows ``conv1``."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, conv in enumerate(convolutions, 1):
        layers |= {f"conv{number}": conv, f"relu{number}": nn.ReLU()}
    layers.popitem()
    return nn.Sequential(layers)

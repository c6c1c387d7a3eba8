"""Convolutions in a row, ReLUs between them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from torch import nn


def convolution_chain(convolutions: Iterable[nn.Module]) -> nn.Sequential:
    """Call them ``conv1``, ``conv2`` and so on, as in the weights of Pham et al.; ``relu1`` follows ``conv1``."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, convolution in enumerate(convolutions, 1):
        layers[f"conv{number}"] = convolution
        layers[f"relu{number}"] = nn.ReLU()
    layers.popitem()
    return nn.Sequential(layers)

"""Separable attention: bright and dark parts of a guiding contrast, apart."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from .convolutions import conv_norm_relu, convolution


class SeparableAttention(nn.Module):
    """Refine features by what another contrast shows where it is bright, and where it is dark.

    The separable attention of SANet: Feng et al., "Exploring Separable Attention for Multi-Contrast MR Image
    Super-Resolution", IEEE Trans Neural Netw Learn Syst 2024 (arXiv:2109.01664), with features t of the target and a
    of the guide::

        A = sigmoid(conv a)                  one channel
        F = conv [a, t]                      1x1
        u = relu(norm(conv A F))             high-intensity priority
        v = relu(norm(conv (1 - A) F))       low-intensity separation
        y = t + conv relu(norm(conv [u, v]))

    with 3x3 convolutions but for the 1x1 ones of F and of the result. It follows the authors' code where the paper
    differs. As printed, there are no normalizations (``norm=None``), A is the sigmoid of a itself, with the channels
    of a, which F then needs too (``attention_map="features"``), and what is added is one channel, the same for all,
    ``relu(conv [u, v])`` (``residual="channel"``). By default it has 43,392 parameters at 64 channels in 2D without the
    577 of A, and none of the code's convolution that nothing uses.

    Args:
        in_channels: number of channels of input, guide and output.
        spatial_dims: 2 or 3.
        width: number of channels of F, u and v; half of ``in_channels`` by default, or all where A has them.
        norm: ``"batch"`` as in the code, which small batches harm, ``"instance"``, or ``None`` as in the paper.
        attention_map: A is of a ``"convolution"`` of a, or of its ``"features"`` themselves, as printed.
        residual: what is added has ``"features"``, or one ``"channel"`` for all of them, as printed.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``width`` is below one or does not fit the map, or ``norm``,
            ``attention_map`` or ``residual`` is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        width: int | None = None,
        norm: Literal["batch", "instance"] | None = "batch",
        attention_map: Literal["convolution", "features"] = "convolution",
        residual: Literal["features", "channel"] = "features",
    ) -> None:
        super().__init__()
        is_printed_map, is_printed_sum = attention_map == "features", residual == "channel"
        if width is None:
            width = in_channels if is_printed_map else max(1, in_channels // 2)
        _check(in_channels, width, norm, attention_map, residual)
        conv = convolution(spatial_dims)
        self.map = nn.Identity() if is_printed_map else conv(in_channels, 1, 3, padding=1)
        self.reduce = conv(2 * in_channels, width, 1)
        self.high = conv_norm_relu(width, width, spatial_dims, norm)
        self.low = conv_norm_relu(width, width, spatial_dims, norm)
        self.join = conv_norm_relu(2 * width, 1 if is_printed_sum else width, spatial_dims, norm)
        self.output = nn.Identity() if is_printed_sum else conv(width, in_channels, 1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Map features ``(b, c, *spatial)`` to the same shape and dtype.

        Args:
            x: features of the target.
            context: of the guide, of the same shape; the target is its own guide if it is None.
        """
        guide = x if context is None else context
        attention = self.attention_weights(x, guide)
        features = self.reduce(torch.cat([guide, x], 1))
        parts = torch.cat([self.high(features * attention), self.low(features * (1 - attention))], 1)
        return x + self.output(self.join(parts)).to(x.dtype)

    def attention_weights(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return A, ``(b, 1, *spatial)``, or with the channels of ``x``, between 0 and 1; 1 - A weights the rest."""
        return self.map(x if context is None else context).sigmoid()


def _check(in_channels: int, width: int, norm: str | None, attention_map: str, residual: str) -> None:
    if width < 1:
        raise ValueError(f"width must not be below 1, got {width}")
    if norm not in ("batch", "instance", None):
        raise ValueError(f'norm must be "batch", "instance" or None, got {norm!r}')
    if attention_map not in ("convolution", "features"):
        raise ValueError(f'attention_map must be "convolution" or "features", got {attention_map!r}')
    if residual not in ("features", "channel"):
        raise ValueError(f'residual must be "features" or "channel", got {residual!r}')
    if attention_map == "features" and width != in_channels:
        raise ValueError(f'width must be {in_channels} for attention_map "features", got {width}')

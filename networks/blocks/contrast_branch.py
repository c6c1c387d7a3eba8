"""A branch of SANet: what one contrast goes through but for fusion and integration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

from .channel_spatial_convolution import ChannelSpatialConvolution
from .convolutions import conv3x3
from .subpixel_upsampling import SubpixelUpsampling


class ContrastBranch(nn.Module):
    """Bring an image to features of the fine grid, refine them stage by stage, and make an image of them.

    Feng et al., "Exploring Separable Attention for Multi-Contrast MR Image Super-Resolution", IEEE Trans Neural Netw
    Learn Syst 2024 (arXiv:2109.01664). With the features F0 at the beginning, those of the last stage, enhanced by
    M_Att (:class:`ChannelSpatialConvolution`), as G, and others H::

        convolution:  y = conv(F0 + conv [G, H])     the authors' code
        sum:          y = conv(F0 + G + H)           Eq. 8

    Args:
        stages: that the features go through.
        width: number of features.
        scale: of the fine grid; None leaves the grid as it is.
        n_others: number of tensors H.
        join: ``"convolution"`` or ``"sum"``.
        enhancement: False leaves out M_Att, so that G is the features themselves.
        gamma: of M_Att, see there; None as printed.

    Raises:
        ValueError: if ``join`` is unknown.
    """

    def __init__(
        self,
        stages: Iterable[nn.Module],
        width: int,
        scale: int | None,
        n_others: int = 0,
        *,
        join: Literal["convolution", "sum"] = "convolution",
        enhancement: bool = True,
        gamma: float | None = 0.0,
    ) -> None:
        super().__init__()
        if join not in ("convolution", "sum"):
            raise ValueError(f"join must be one of convolution, sum, got {join!r}")
        self.stem = conv3x3(1, width)
        self.upsample = None
        if scale is not None:
            self.upsample = nn.Sequential(SubpixelUpsampling(width, scale), conv3x3(width, width))
        self.stages = nn.ModuleList(stages)
        self.attention = ChannelSpatialConvolution(gamma) if enhancement else nn.Identity()
        self.join = conv3x3((1 + n_others) * width, width) if join == "convolution" else None
        self.head = conv3x3(width, 1)

    def begin(self, image: Tensor) -> Tensor:
        """Map an image ``(b, 1, h, w)`` to F0, ``(b, width, scale h, scale w)``."""
        features = self.stem(image)
        if self.upsample is not None:
            features = self.upsample(features)
        return features

    def stage(self, index: int, features: Tensor) -> Tensor:
        """Apply a stage by its number; TorchScript knows modules in loops alone."""
        for place, stage in enumerate(self.stages):
            if place == index:
                features = stage(features)
        return features

    def end(self, features: Tensor, first: Tensor, others: list[Tensor]) -> Tensor:
        """Map features, F0 and H, all ``(b, width, h, w)``, to an image ``(b, 1, h, w)``."""
        enhanced = self.attention(features)
        if self.join is not None:
            return self.head(self.join(torch.cat([enhanced] + others, 1)) + first)  # noqa: RUF005 (TorchScript)
        total = first + enhanced
        for other in others:
            total = total + other
        return self.head(total)

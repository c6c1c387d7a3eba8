"""Dual attention: between positions and between channels, side by side."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from .convolutions import conv_norm_relu, convolution, start_at_zero
from .softmax_attention import logit_scale, softmax_affinity, softmax_attention


class DualAttention(nn.Module):
    """Add up the results of position attention and channel attention.

    The head of DANet: Fu et al., "Dual Attention Network for Scene Segmentation", CVPR 2019 (arXiv:1809.02983),
    generalized to 3D. Each branch narrows the features by a 3x3 convolution, attends, and convolves again; each
    convolution is followed by batch normalization and ReLU.

    It departs from the paper to fit between two layers of a network: where DANet maps the sum to classes, a 1x1
    convolution maps it back to ``in_channels`` and is added to the input. It starts at zero, so that the block
    starts as the identity.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        reduction: by how much the branches are narrower than the input.
        scale: see :class:`PositionAttention`.
        literal: see :class:`PositionAttention`.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``scale`` is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        reduction: int = 4,
        scale: Literal["sqrt"] | None = None,
        literal: bool = False,
    ) -> None:
        super().__init__()
        width = max(1, in_channels // reduction)
        position = PositionAttention(width, spatial_dims, scale=scale, literal=literal)
        self.position = _branch(in_channels, width, position, spatial_dims)
        self.channel = _branch(in_channels, width, ChannelGramAttention(), spatial_dims)
        self.output = convolution(spatial_dims)(width, in_channels, 1)
        start_at_zero(self.output)

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return x + self.output(self.position(x) + self.channel(x)).to(x.dtype)

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the affinities of ``x`` ``(b, c, *spatial)``, in at least float32; rows sum to one.

        The keys are ``position``, ``(b, n, n)`` for n voxels, and ``channel``, between the channels of a branch.
        """
        branches = {"position": self.position, "channel": self.channel}
        return {name: attend.attention_weights(narrow(x)) for name, (narrow, attend, _) in branches.items()}  # type: ignore[operator]


class PositionAttention(nn.Module):
    """Let each voxel attend to all others: DANet's position attention module.

    Fu et al. 2019 (arXiv:1809.02983), with B, C and D as 1x1 convolutions of the features A, called theta, phi
    and g here::

        s_ji = exp(B_i C_j) / sum_i exp(B_i C_j)     Eq. 1
        E_j  = alpha sum_i s_ji D_i + A_j            Eq. 2

    alpha, here ``gamma``, starts at zero. The affinities of n voxels are streamed, not held.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        reduction: by how much theta and phi are narrower than the input.
        scale: ``None`` as in the paper, or ``"sqrt"`` to divide the logits by the square root of the width of
            theta.
        literal: True holds all affinities, in quadratic memory: for comparison.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``scale`` is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        reduction: int = 8,
        scale: Literal["sqrt"] | None = None,
        literal: bool = False,
    ) -> None:
        super().__init__()
        conv, width = convolution(spatial_dims), max(1, in_channels // reduction)
        self.theta, self.phi, self.g = (conv(in_channels, n, 1) for n in (width, width, in_channels))
        self.gamma = nn.Parameter(torch.zeros(()))
        self.scale = logit_scale(scale, width)
        self.literal = literal

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        values = _elements(self.g(x))
        if self.literal:
            attended = self.attention_weights(x).to(values.dtype) @ values
        else:
            attended = softmax_attention(_elements(self.theta(x)), _elements(self.phi(x)), values, self.scale)
        return x + self.gamma * attended.transpose(1, 2).unflatten(2, x.shape[2:]).to(x.dtype)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return Eq. 1 for ``x`` ``(b, c, *spatial)``: ``(b, n, n)`` in at least float32, rows sum to one."""
        return softmax_affinity(_elements(self.theta(x)), _elements(self.phi(x)), self.scale)


class ChannelGramAttention(nn.Module):
    """Let each channel attend to all others by their Gram matrix: DANet's channel attention module.

    Fu et al. 2019 (arXiv:1809.02983), with the channels A_i of the features::

        x_ji = exp(A_i A_j) / sum_i exp(A_i A_j)     Eq. 3
        E_j  = beta sum_i x_ji A_i + A_j             Eq. 4

    beta, here ``gamma``, starts at zero. It follows the authors' code, which departs from Eq. 3: the softmax is
    over the row's maximum minus the energy ``A_i A_j``, so that a channel attends most to the least similar
    one. The maximum cancels in the softmax.

    It has no convolutions, and takes any number of channels and of spatial axes.

    Args:
        sign: of the energy in the softmax; 1 as in Eq. 3.
        gamma: a fixed one, instead of the parameter.
    """

    def __init__(self, sign: float = -1.0, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(())) if gamma is None else gamma
        self.sign = sign

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        attended = self.attention_weights(x).to(x.dtype) @ x.flatten(2)
        return x + self.gamma * attended.view(x.shape).to(x.dtype)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the affinities of the channels of ``x`` ``(b, c, *spatial)``: ``(b, c, c)``, rows sum to one."""
        channels = x.flatten(2)
        return softmax_affinity(channels, channels, self.sign)


def _branch(in_channels: int, width: int, attention: nn.Module, spatial_dims: int) -> nn.Sequential:
    narrow, refine = (conv_norm_relu(n, width, spatial_dims, bias=False) for n in (in_channels, width))
    return nn.Sequential(narrow, attention, refine)


def _elements(x: Tensor) -> Tensor:
    """Turn ``(b, c, *spatial)`` into the voxels ``(b, n, c)``."""
    return x.flatten(2).transpose(1, 2)

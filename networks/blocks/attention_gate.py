"""Attention gates: features of a skip connection, weighted by what coarser features tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from monai.networks.layers import Norm
from monai.utils import ensure_tuple_rep
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .convolutions import convolution

MODES = ("concatenation", "residual", "softplus")


class AttentionGate(nn.Module):
    """Weight each voxel of 2D or 3D features by a map that a gating signal has a say in.

    Oktay et al., "Attention U-Net: Learning Where to Look for the Pancreas", MIDL 2018 (arXiv:1804.03999), with
    the features x, the gating signal g of a coarser level, and 1x1 convolutions phi and psi::

        q     = psi(relu(theta(x) + phi(g)))     Eq. 1
        alpha = sigmoid(q)                       Eq. 2
        y     = W(alpha x)

    As in the authors' code, theta is a convolution with strides as large as its kernel, phi(g) is resampled to
    the result's grid and alpha to that of x, both linearly, and W is a 1x1 convolution with batch
    normalization. The features may be smaller than theta's kernel: zeros fill up its window.

    Args:
        in_channels: number of channels of the features and of the output.
        context_channels: number of channels of the gating signal.
        spatial_dims: 2 or 3.
        inter_channels: width of theta and phi; by default half of ``in_channels``.
        sub_sample: strides of theta.
        mode: ``"concatenation"`` as above; ``"residual"`` with a softmax over all voxels instead of the sigmoid;
            ``"softplus"`` with that function instead of ReLU. They are ``concatenation``,
            ``concatenation_residual`` and ``concatenation_debug`` of the authors' code.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``mode`` is unknown, or ``sub_sample`` has too many or few
            sizes.
    """

    def __init__(
        self,
        in_channels: int,
        context_channels: int,
        spatial_dims: int = 3,
        *,
        inter_channels: int | None = None,
        sub_sample: Sequence[int] | int = 2,
        mode: Literal["concatenation", "residual", "softplus"] = "concatenation",
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
        conv, norm = convolution(spatial_dims), Norm[Norm.BATCH, spatial_dims]
        width = inter_channels or max(1, in_channels // 2)
        strides = ensure_tuple_rep(sub_sample, spatial_dims)
        self.theta = conv(in_channels, width, strides, strides, bias=False)
        self.phi = conv(context_channels, width, 1)
        self.psi = conv(width, 1, 1)
        self.output = nn.Sequential(conv(in_channels, in_channels, 1), norm(in_channels))
        self.mode = mode

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map features ``(b, c, *spatial)`` to the same shape and dtype; the gating signal may have any grid."""
        return self.output(self.attention_weights(x, context).to(x.dtype) * x).to(x.dtype)

    def attention_weights(self, x: Tensor, context: Tensor) -> Tensor:
        """Return alpha on the grid of ``x`` ``(b, c, *spatial)``: ``(b, 1, *spatial)`` in at least float32.

        With ``mode="residual"`` it sums to one over the voxels of theta's grid, before it is resampled.
        """
        theta = self.theta(_fill_window(x, self.theta.kernel_size))
        phi = _resample(self.phi(context), theta)
        q = self.psi(F.softplus(theta + phi) if self.mode == "softplus" else F.relu(theta + phi))
        q = q.to(torch.promote_types(q.dtype, torch.float32))
        alpha = q.flatten(2).softmax(2).view_as(q) if self.mode == "residual" else q.sigmoid()
        return _resample(alpha, x)


class MultiAttentionGate(nn.Module):
    """Combine several attention gates on the same features: a 1x1 convolution, batch normalization and ReLU.

    The authors of :class:`AttentionGate` use two in their later networks for CT.

    Args:
        in_channels: number of channels of the features and of the output.
        context_channels: number of channels of the gating signal.
        spatial_dims: 2 or 3.
        n_gates: number of gates.
        options: further arguments of :class:`AttentionGate`.
    """

    def __init__(
        self, in_channels: int, context_channels: int, spatial_dims: int = 3, *, n_gates: int = 2, **options: Any
    ) -> None:
        super().__init__()
        conv, norm = convolution(spatial_dims), Norm[Norm.BATCH, spatial_dims]
        self.gates = nn.ModuleList(
            AttentionGate(in_channels, context_channels, spatial_dims, **options) for _ in range(n_gates)
        )
        self.output = nn.Sequential(conv(n_gates * in_channels, in_channels, 1), norm(in_channels), nn.ReLU())

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map features ``(b, c, *spatial)`` to the same shape and dtype; the gating signal may have any grid."""
        return self.output(torch.cat([gate(x, context) for gate in self.gates], 1)).to(x.dtype)

    def attention_weights(self, x: Tensor, context: Tensor) -> Tensor:
        """Return the map of each gate on the grid of ``x``, ``(b, n_gates, *spatial)`` in at least float32."""
        return torch.cat([gate.attention_weights(x, context) for gate in self.gates], 1)  # type: ignore[operator]


def _fill_window(x: Tensor, window: Sequence[int]) -> Tensor:
    missing = [max(0, size - n) for size, n in zip(window, x.shape[2:], strict=True)]
    return F.pad(x, [pad for size in reversed(missing) for pad in (0, size)]) if any(missing) else x


def _resample(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[2:], mode="bilinear" if x.ndim == 4 else "trilinear")

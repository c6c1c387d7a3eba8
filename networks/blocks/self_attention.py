"""Self-attention between all voxels: the non-local block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from monai.networks.layers import Norm
from monai.utils import ensure_tuple_rep
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .convolutions import convolution, start_at_zero
from .softmax_attention import logit_scale, softmax_affinity, softmax_attention

MODES = ("embedded_gaussian", "dot_product", "gaussian")


class SelfAttention(nn.Module):
    """Let each voxel of 2D or 3D features attend to all others.

    Wang et al., "Non-local Neural Networks", CVPR 2018 (arXiv:1711.07971), with voxels i and j::

        y_i = sum_j f(x_i, x_j) g(x_j) / C(x)                               Eq. 1
        f   = exp(x_i^T x_j),                C = sum_j f    gaussian            Eq. 2
        f   = exp(theta(x_i)^T phi(x_j)),    C = sum_j f    embedded_gaussian   Eq. 3
        f   = theta(x_i)^T phi(x_j),         C = N          dot_product         Eq. 4
        z_i = W y_i + x_i                                                   Eq. 6

    theta, phi, g and W are 1x1 convolutions. W, or the batch normalization after it, starts at zero, so that
    the block starts as the identity.

    The affinities of N voxels are never held: the exponential forms stream over them, and the dot product is
    evaluated as ``theta (phi^T g) / N``. Time is quadratic in N for the former, linear for the latter.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        mode: form of f.
        inter_channels: width of theta, phi and g; by default half of ``in_channels``, as in Section 3.3.
        sub_sample: sizes of the max pooling of phi and g, the "subsampling trick" of Section 3.3; at most the
            size of the features along each axis. By default none.
        batch_norm: False for W without batch normalization.
        scale: ``None`` as in the paper, or ``"sqrt"`` to divide the logits of the exponential forms by the
            square root of the width of theta.
        literal: True holds all affinities, in quadratic memory: for comparison.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``mode`` or ``scale`` is unknown, or ``sub_sample`` has a
            size below one or too many or few sizes.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        mode: Literal["embedded_gaussian", "dot_product", "gaussian"] = "embedded_gaussian",
        inter_channels: int | None = None,
        sub_sample: Sequence[int] | int | None = None,
        batch_norm: bool = True,
        scale: Literal["sqrt"] | None = None,
        literal: bool = False,
    ) -> None:
        super().__init__()
        conv = convolution(spatial_dims)
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
        if sub_sample is not None and min(ensure_tuple_rep(sub_sample, spatial_dims)) < 1:
            raise ValueError(f"sub_sample must not be below 1, got {sub_sample}")
        inter_channels = inter_channels or max(1, in_channels // 2)
        is_embedded = mode != "gaussian"
        self.theta = conv(in_channels, inter_channels, 1) if is_embedded else nn.Identity()
        self.phi = conv(in_channels, inter_channels, 1) if is_embedded else nn.Identity()
        self.g = conv(in_channels, inter_channels, 1)
        self.output = conv(inter_channels, in_channels, 1)
        last: nn.Module = self.output
        if batch_norm:
            last = Norm[Norm.BATCH, spatial_dims](in_channels)
            self.output = nn.Sequential(self.output, last)
        start_at_zero(last)
        self.mode = mode
        self.sub_sample = None if sub_sample is None else ensure_tuple_rep(sub_sample, spatial_dims)
        self.scale = logit_scale(scale, inter_channels if is_embedded else in_channels)
        self.literal = literal

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        y = self._attend(x).transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.output(y).to(x.dtype)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return f / C of ``x`` ``(b, c, *spatial)`` as ``(b, n, m)``: n voxels attend to m, in at least float32.

        Voxels are in the order of ``x.flatten(2)``. Rows sum to one except for the dot product.
        """
        queries, keys, _ = self._project(x)
        return self._affinity(queries, keys)

    def _attend(self, x: Tensor) -> Tensor:
        queries, keys, values = self._project(x)
        if self.literal:
            return self._affinity(queries, keys).to(values.dtype) @ values
        if self.mode != "dot_product":
            return softmax_attention(queries, keys, values, self.scale)
        dtype = torch.promote_types(values.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):  # a sum over all voxels, too large for float16
            context = keys.to(dtype).transpose(1, 2) @ values.to(dtype) / keys.shape[1]
            return (queries.to(dtype) @ context).to(values.dtype)

    def _affinity(self, queries: Tensor, keys: Tensor) -> Tensor:
        if self.mode != "dot_product":
            return softmax_affinity(queries, keys, self.scale)
        dtype = torch.promote_types(queries.dtype, torch.float32)
        with torch.autocast(queries.device.type, enabled=False):
            return queries.to(dtype) @ keys.to(dtype).transpose(1, 2) / keys.shape[1]

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries ``(b, n, c)``, keys ``(b, m, c)`` and values ``(b, m, v)``."""
        projected = self.theta(x), self._pool(self.phi(x)), self._pool(self.g(x))
        queries, keys, values = (features.flatten(2).transpose(1, 2) for features in projected)
        return queries, keys, values

    def _pool(self, x: Tensor) -> Tensor:
        if self.sub_sample is None:
            return x
        sizes = [min(size, n) for size, n in zip(self.sub_sample, x.shape[2:], strict=True)]
        return F.max_pool2d(x, sizes) if len(sizes) == 2 else F.max_pool3d(x, sizes)

"""Folded attention: self-attention along one axis of the feature tensor at a time."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class FoldedAttention(nn.Module):
    """Attend along each spatial axis, then along the channels, of 2D or 3D features.

    Zhang et al., "Efficient Folded Attention for 3D Medical Image Reconstruction and Segmentation", AAAI 2021
    (arXiv:2009.05576). For each axis p in (h, w, d, c) and its unfolding u(., p), the matrix of the
    tensor whose rows are the slices across p::

        A_p = softmax_rows(u(theta(X), p) u(phi(X), p)^T)     Eq. 5
        Z   = fold(A_p u(g(X), p), p), for all p in turn      Eqs. 6 and 7

    Eqs. 8 and 9: this equals one attention over all elements with rank-one affinities
    ``A_h[i] x A_w[j] x A_d[k] x A_c[q]``, so that the order of the axes does not matter. theta, phi and g are
    1x1 convolutions, shared by all axes.

    Beyond the paper, ``Y = X + gamma Z`` with gamma starting at zero: the block starts as the identity, as in
    RSANet (Zhang et al. 2019), on which the paper builds.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        scale: ``None`` as in the paper, or ``"sqrt"`` to divide the logits of an axis by the square root of
            the length of its slices, which keeps the softmax from starting as a one-hot maximum.
        recompute: False computes all affinities, and g, once from X. True projects the running result anew
            before each axis, the literal cascade of Eq. 7; the order of the axes matters then.
        residual: False returns Z itself, and there is no ``gamma``.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``scale`` is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        scale: Literal["sqrt"] | None = None,
        recompute: bool = False,
        residual: bool = True,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}")
        if scale not in (None, "sqrt"):
            raise ValueError(f'scale must be None or "sqrt", got {scale!r}')
        conv = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.theta = conv(in_channels, in_channels, 1)
        self.phi = conv(in_channels, in_channels, 1)
        self.g = conv(in_channels, in_channels, 1)
        self.gamma = nn.Parameter(torch.zeros(())) if residual else None
        self.axes = dict(zip("hwd"[:spatial_dims], range(2, 2 + spatial_dims), strict=True)) | {"c": 1}
        self.scale = scale
        self.recompute = recompute

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        z = self._attend(x)[0].to(x.dtype)
        return z if self.gamma is None else x + self.gamma * z

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the affinities of ``x`` ``(b, c, *spatial)``, in at least float32.

        The keys are the axes in tensor order and then the channels (h, w, d, c; in 2D h, w, c); an axis of
        length n has the shape ``(b, n, n)``, and rows sum to one.
        """
        return self._attend(x)[1]

    def _attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if self.recompute:
            weights, z = {}, x
            for name, axis in self.axes.items():
                weights[name] = self._affinity(self.theta(z), self.phi(z), axis)
                z = _mix(weights[name], self.g(z), axis)
            return z, weights
        theta, phi, z = self.theta(x), self.phi(x), self.g(x)
        weights = {name: self._affinity(theta, phi, axis) for name, axis in self.axes.items()}
        for name, axis in self.axes.items():
            z = _mix(weights[name], z, axis)
        return z, weights

    def _affinity(self, theta: Tensor, phi: Tensor, axis: int) -> Tensor:
        """Eq. 5. Logits sum thousands of products and grow large, so half precision is left here."""
        dtype = torch.promote_types(theta.dtype, torch.float32)
        with torch.autocast(theta.device.type, enabled=False):
            rows, columns = _unfold(theta, axis).to(dtype), _unfold(phi, axis).to(dtype)
            logits = rows @ columns.transpose(1, 2)
            if self.scale == "sqrt":
                logits = logits / rows.shape[2] ** 0.5
            return logits.softmax(-1)


def _mix(affinity: Tensor, values: Tensor, axis: int) -> Tensor:
    """Eq. 6: replace each slice across ``axis`` by the mean of all slices under its row of ``affinity``."""
    slices = values.movedim(axis, 1)
    return (affinity.to(values.dtype) @ slices.flatten(2)).view_as(slices).movedim(1, axis)


def _unfold(x: Tensor, axis: int) -> Tensor:
    """Unfold ``(b, c, *spatial)`` to ``(b, n, rest)`` with the slices across ``axis`` as rows."""
    return x.movedim(axis, 1).flatten(2)

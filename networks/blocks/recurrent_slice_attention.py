"""Recurrent slice-wise attention: attention between slices, one direction after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from .convolutions import convolution
from .softmax_attention import logit_scale, softmax_affinity


class RecurrentSliceAttention(nn.Module):
    """Attend between the slices across each spatial axis in turn, of 2D or 3D features.

    Zhang et al., "RSANet: Recurrent Slice-wise Attention Network for Multiple Sclerosis Lesion Segmentation",
    MICCAI 2019 (arXiv:2002.12470), as in the authors' code. With u(., p) the matrix of the tensor whose rows are
    the slices across the axis p, each step replaces X by::

        A_p = softmax_rows(u(theta(X), p) u(phi(X), p)^T)
        X   + gamma_p fold(A_p u(g(X), p), p)

    theta, phi and g are 1x1 convolutions, shared by all steps, which project the running result anew; the order
    of the steps matters. Each gamma starts at zero, so that the block starts as the identity.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        order: spatial axes in the order of the steps; by default that of the tensor. The authors' is coronal,
            sagittal, axial: ``(1, 0, 2)`` for axes that run right, anterior, superior.
        scale: ``None`` as in the authors' code, or ``"sqrt"`` to divide the logits of a step by the square root
            of the length of its slices, which keeps the softmax from starting as a one-hot maximum.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``order`` does not name each axis once, or ``scale`` is
            unknown.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        order: Sequence[int] | None = None,
        scale: Literal["sqrt"] | None = None,
    ) -> None:
        super().__init__()
        conv, order = convolution(spatial_dims), range(spatial_dims) if order is None else order
        if sorted(order) != list(range(spatial_dims)):
            raise ValueError(f"order must name each of {spatial_dims} axes once, got {order}")
        logit_scale(scale, 1)
        self.theta, self.phi, self.g = (conv(in_channels, in_channels, 1) for _ in range(3))
        self.gamma = nn.ParameterList(torch.zeros(()) for _ in order)
        self.order = tuple(order)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return self._attend(x)[0]

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the affinities of ``x`` ``(b, c, *spatial)``, in at least float32.

        The keys are the axes h, w, d in the order of the steps; an axis of length n has the shape
        ``(b, n, n)``, and rows sum to one.
        """
        return self._attend(x)[1]

    def _attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        weights = {}
        for axis, gamma in zip(self.order, self.gamma, strict=True):
            rows, columns = (project(x).movedim(axis + 2, 1).flatten(2) for project in (self.theta, self.phi))
            affinity = softmax_affinity(rows, columns, logit_scale(self.scale, rows.shape[2]))
            slices = self.g(x).movedim(axis + 2, 1)
            mixed = (affinity.to(slices.dtype) @ slices.flatten(2)).view_as(slices).movedim(1, axis + 2)
            x = x + gamma * mixed.to(x.dtype)
            weights["hwd"[axis]] = affinity
        return x, weights

"""Folded attention as its equations are written, to compare with."""

from __future__ import annotations

import torch
from torch import Tensor

from .folded_attention import FoldedAttention


class LiteralFoldedAttention(FoldedAttention):
    """:class:`FoldedAttention`, one convolution and one product of unfolded tensors after the other.

    Zhang et al., AAAI 2021 (arXiv:2009.05576), Eqs. 5 to 7. Same parameters and results; training keeps every
    intermediate tensor.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return self._forward(x)

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

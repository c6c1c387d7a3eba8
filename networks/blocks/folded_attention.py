"""Folded attention: self-attention along one axis of the feature tensor at a time."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .convolutions import convolution
from .mode_products import mode_gram, mode_product
from .softmax_attention import logit_scale

NEGLIGIBLE = 1e-3  # of the rounding error of one


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

    It is computed in an exact shorter form. ``theta`` and ``phi`` meet only in products, of which a row's constant
    part leaves no trace in the softmax, so that one matrix ``theta^T phi`` serves the spatial axes, and the Gram matrix
    of the channels serves ``A_c``. ``g`` commutes with ``A_h``, ``A_w`` and ``A_d``, whose rows sum to one (bias
    included), and so is merged with ``A_c``. Training keeps the input alone and computes the rest anew on the way back.
    :class:`LiteralFoldedAttention` follows the equations one by one.

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
        logit_scale(scale, 1)
        conv = convolution(spatial_dims)
        self.theta, self.phi, self.g = (conv(in_channels, in_channels, 1) for _ in range(3))
        self.gamma = nn.Parameter(torch.zeros(())) if residual else None
        self.axes = dict(zip("hwd"[:spatial_dims], range(2, 2 + spatial_dims), strict=True)) | {"c": 1}
        self.scale = scale
        self.recompute = recompute

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        if torch.is_grad_enabled() and not (torch.jit.is_tracing() or torch.compiler.is_exporting()):
            return checkpoint(self._forward, x, use_reentrant=False, preserve_rng_state=False)
        return self._forward(x)

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the affinities of ``x`` ``(b, c, *spatial)``, in at least float32.

        The keys are the axes in tensor order and then the channels (h, w, d, c; in 2D h, w, c); an axis of
        length n has the shape ``(b, n, n)``, and rows sum to one.
        """
        return self._attend(x)[1]

    def _forward(self, x: Tensor) -> Tensor:
        z = self._attend(x)[0].to(x.dtype)
        return z if self.gamma is None else x + self.gamma * z

    def _attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Z and the affinities, from ``x`` as it lies in memory: channels first or last."""
        is_channels_last = x.movedim(1, -1).is_contiguous()
        z = x.movedim(1, -1) if is_channels_last else x.contiguous()
        axes = {name: (axis - 1 or x.ndim - 1) if is_channels_last else axis for name, axis in self.axes.items()}
        z, weights = self._cascade(z, axes) if self.recompute else self._at_once(z, axes)
        return (z.movedim(-1, 1) if is_channels_last else z), weights

    def _at_once(self, x: Tensor, axes: dict[str, int]) -> tuple[Tensor, dict[str, Tensor]]:
        weights, z = self._affinities(x, axes, tuple(axes)), x
        for name, axis in axes.items():
            if name != "c":
                z = mode_product(weights[name].to(z.dtype), z, axis)
        g = weights["c"].to(self.g.weight.dtype) @ _matrix(self.g)
        return _map_channels(g, z, axes["c"]), weights

    def _cascade(self, x: Tensor, axes: dict[str, int]) -> tuple[Tensor, dict[str, Tensor]]:
        weights: dict[str, Tensor] = {}
        for name, axis in axes.items():
            weights |= self._affinities(x, axes, (name,))
            x = _map_channels(_matrix(self.g), x, axes["c"])
            x = mode_product(weights[name].to(x.dtype), x, axis)
        return x, weights

    def _affinities(self, x: Tensor, axes: dict[str, int], names: tuple[str, ...]) -> dict[str, Tensor]:
        """Eq. 5. Logits sum thousands of products and grow large, so half precision is left here."""
        dtype = torch.promote_types(x.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(dtype)
            theta, phi = (_matrix(conv).to(dtype) for conv in (self.theta, self.phi))
            logits = {"c": theta @ _homogeneous_gram(x, axes["c"]) @ phi.mT} if "c" in names else {}
            if spatial := [name for name in names if name != "c"]:
                rows = _map_channels(phi[:, :-1].mT @ theta, x, axes["c"])
                logits |= {name: mode_gram(rows, x, axes[name]) for name in spatial}
            per_slice = x[0].numel()
            lengths = {name: per_slice // x.shape[axes[name]] if self.scale == "sqrt" else 1 for name in names}
            return {name: _softmax(logits[name] / lengths[name] ** 0.5) for name in names}


def _softmax(logits: Tensor) -> Tensor:
    """Softmax of rows, no share smaller than what rounding loses.

    Unscaled logits differ by hundreds, so that most shares and gradients would be subnormal numbers or make such
    products, with which a CPU's arithmetic is much slower.
    """
    below_maximum = logits - logits.amax(-1, keepdim=True).detach()
    return below_maximum.clamp(min=math.log(NEGLIGIBLE * torch.finfo(logits.dtype).eps)).softmax(-1)


def _matrix(conv: nn.Conv2d | nn.Conv3d) -> Tensor:
    """A 1x1 convolution's weights with its bias as one more column, ``(c, c + 1)``."""
    assert conv.bias is not None
    return torch.cat([conv.weight.flatten(1), conv.bias[:, None]], 1)


def _map_channels(matrix: Tensor, x: Tensor, axis: int) -> Tensor:
    """A 1x1 convolution of ``x``, channels along ``axis``, by ``(c, c + 1)``, or ``(b, c, c + 1)`` for each item."""
    shape = [1] * x.ndim
    shape[0], shape[axis] = (1 if matrix.ndim == 2 else matrix.shape[0]), x.shape[axis]
    return mode_product(matrix[..., :-1], x, axis) + matrix[..., -1].reshape(shape)


def _homogeneous_gram(x: Tensor, axis: int) -> Tensor:
    """Gram matrix of the channels of ``x`` and of one more channel of ones, ``(b, c + 1, c + 1)``."""
    others = [a for a in range(1, x.ndim) if a != axis]
    sums = x.sum(others)[:, :, None]
    count = sums.new_full((x.shape[0], 1, 1), x[0].numel() // x.shape[axis])
    top = torch.cat([mode_gram(x, x, axis), sums], 2)
    return torch.cat([top, torch.cat([sums.mT, count], 2)], 1)

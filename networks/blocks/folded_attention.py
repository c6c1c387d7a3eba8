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
        self.is_scaled = scale == "sqrt"
        self.recompute = recompute

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        if torch.jit.is_scripting():
            return self._forward(x)
        else:  # noqa: RET505 (TorchScript leaves this out)
            return self._checkpointed(x)

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the affinities of ``x`` ``(b, c, *spatial)``, in at least float32.

        The keys are the axes in tensor order and then the channels (h, w, d, c; in 2D h, w, c); an axis of
        length n has the shape ``(b, n, n)``, and rows sum to one.
        """
        return self._attend(x)[1]

    @torch.jit.unused
    def _checkpointed(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and not (torch.jit.is_tracing() or torch.compiler.is_exporting()):
            return checkpoint(self._forward, x, use_reentrant=False, preserve_rng_state=False)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        z = self._attend(x)[0].to(x.dtype)
        if self.gamma is not None:
            z = x + self.gamma * z
        return z

    def _attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Z and the affinities, from ``x`` as it lies in memory: channels first or last."""
        is_channels_last = x.movedim(1, -1).is_contiguous()
        z = x.movedim(1, -1) if is_channels_last else x.contiguous()
        axes: dict[str, int] = {}
        for name, axis in self.axes.items():
            moved = x.ndim - 1 if axis == 1 else axis - 1
            axes[name] = moved if is_channels_last else axis
        z, weights = self._cascade(z, axes) if self.recompute else self._at_once(z, axes)
        return (z.movedim(-1, 1) if is_channels_last else z), weights

    def _at_once(self, x: Tensor, axes: dict[str, int]) -> tuple[Tensor, dict[str, Tensor]]:
        weights, z = self._affinities(x, axes, list(axes.keys())), x
        for name, axis in axes.items():
            if name != "c":
                z = mode_product(weights[name].to(z.dtype), z, axis)
        g = weights["c"].to(self.g.weight.dtype) @ _matrix(self.g.weight, self.g.bias)
        return _map_channels(g, z, axes["c"]), weights

    def _cascade(self, x: Tensor, axes: dict[str, int]) -> tuple[Tensor, dict[str, Tensor]]:
        weights: dict[str, Tensor] = {}
        for name, axis in axes.items():
            weights.update(self._affinities(x, axes, [name]))
            x = _map_channels(_matrix(self.g.weight, self.g.bias), x, axes["c"])
            x = mode_product(weights[name].to(x.dtype), x, axis)
        return x, weights

    def _affinities(self, x: Tensor, axes: dict[str, int], names: list[str]) -> dict[str, Tensor]:
        """Eq. 5. Logits sum thousands of products and grow large, so half precision is left here."""
        if torch.jit.is_scripting():
            return self._full_precision_affinities(x, axes, names)
        else:  # noqa: RET505
            with torch.autocast(x.device.type, enabled=False):
                return self._full_precision_affinities(x, axes, names)

    def _full_precision_affinities(self, x: Tensor, axes: dict[str, int], names: list[str]) -> dict[str, Tensor]:
        dtype = torch.promote_types(x.dtype, torch.float32)
        x = x.to(dtype)
        theta = _matrix(self.theta.weight, self.theta.bias).to(dtype)
        phi = _matrix(self.phi.weight, self.phi.bias).to(dtype)
        logits: dict[str, Tensor] = {}
        if "c" in names:
            logits["c"] = theta @ _homogeneous_gram(x, axes["c"]) @ phi.mT
        if names != ["c"]:
            rows = _map_channels(phi[:, :-1].mT @ theta, x, axes["c"])
            for name in names:
                if name != "c":
                    logits[name] = mode_gram(rows, x, axes[name])
        weights: dict[str, Tensor] = {}
        for name in names:
            length = x[0].numel() // x.shape[axes[name]] if self.is_scaled else 1
            weights[name] = _softmax(logits[name] / length**0.5)
        return weights


def _softmax(logits: Tensor, negligible: float = NEGLIGIBLE) -> Tensor:
    """Softmax of rows, no share smaller than what rounding loses.

    Unscaled logits differ by hundreds, so that most shares and gradients would be subnormal numbers or make such
    products, with which a CPU's arithmetic is much slower.
    """
    below_maximum = logits - logits.amax(-1, keepdim=True).detach()
    eps = 2.0**-52 if logits.dtype == torch.float64 else 2.0**-23
    return below_maximum.clamp(min=math.log(negligible * eps)).softmax(-1)


def _matrix(weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1x1 convolution's weights with its bias as one more column, ``(c, c + 1)``."""
    assert bias is not None
    return torch.cat([weight.flatten(1), bias[:, None]], 1)


def _map_channels(matrix: Tensor, x: Tensor, axis: int) -> Tensor:
    """A 1x1 convolution of ``x``, channels along ``axis``, by ``(c, c + 1)``, or ``(b, c, c + 1)`` for each item."""
    shape = [1] * x.ndim
    shape[0] = 1 if matrix.ndim == 2 else matrix.shape[0]
    shape[axis] = x.shape[axis]
    return mode_product(matrix[..., :-1], x, axis) + matrix[..., -1].reshape(shape)


def _homogeneous_gram(x: Tensor, axis: int) -> Tensor:
    """Gram matrix of the channels of ``x`` and of one more channel of ones, ``(b, c + 1, c + 1)``."""
    others = list(range(1, x.ndim))
    others.remove(axis)
    sums = x.sum(others)[:, :, None]
    count = sums.new_full((x.shape[0], 1, 1), x[0].numel() // x.shape[axis])
    top = torch.cat([mode_gram(x, x, axis), sums], 2)
    return torch.cat([top, torch.cat([sums.mT, count], 2)], 1)

"""Cross-scale transformer: features of a finer grid, put together from larger patches of the same image."""

from __future__ import annotations

from typing import Any, Literal

import torch
from monai.networks.layers import Act
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ...operators.resampling import resample_cubic
from ...operators.scripted_resampling import resample_scripted
from .convolutions import convolution
from .cross_scale_attention import cross_scale_affinity, cross_scale_attention
from .cross_scale_matching import CrossScaleMatching
from .scripted_cross_scale import scripted_cross_scale

DOWNSAMPLING = ("cubic", "antialiased", "linear")


class CrossScaleTransformer(nn.Module):
    """Upsample 2D or 3D features by what their coarse copy says of the relation of scales.

    Zhang et al., "3D Cross-Scale Feature Transformer Network for Brain MR Image Super-Resolution", ICASSP 2022: queries
    and values are 1x1 convolutions of the features, keys of their cubic downsampling;
    :func:`cross_scale_attention` has Eqs. 6 to 8. It extends the cross-scale attention of Mei et al., "Image
    Super-Resolution with Cross-Scale Non-Local Attention and Exhaustive Self-Exemplars Mining", CVPR 2020
    (arXiv:2006.01424), which it equals in 2D with ``stride=1, logit_scale=10, normalize_keys=True, overlap=6,
    activation="prelu", downsampling="linear"``.

    In the paper all embeddings have 24 of 48 channels. Values keep all here, since the result is added to features of
    that width, and the published size fits that; with ``value_channels`` a 1x1 convolution widens the result again,
    which the published size fits as well. The paper's sum of overlapping
    patches, a transposed convolution, is ``overlap="none"``; they are averaged by default.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        inter_channels: width of queries and keys; by default half of ``in_channels``.
        value_channels: width of values; by default ``in_channels``.
        downsampling: ``"cubic"`` convolution of the four nearest voxels along each axis; ``"antialiased"`` of more;
            or ``"linear"``.
        activation: after each embedding, a name of MONAI; none by default, as in the paper.
        matching: options of :class:`CrossScaleMatching`, such as ``scale``.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, ``downsampling`` is unknown, or as :class:`CrossScaleMatching`
            does.
    """

    def __init__(
        self,
        in_channels: int,
        spatial_dims: int = 3,
        *,
        inter_channels: int | None = None,
        value_channels: int | None = None,
        downsampling: Literal["cubic", "antialiased", "linear"] = "cubic",
        activation: str | None = None,
        **matching: Any,
    ) -> None:
        super().__init__()
        if downsampling not in DOWNSAMPLING:
            raise ValueError(f"downsampling must be one of {', '.join(DOWNSAMPLING)}, got {downsampling!r}")
        self.matching = CrossScaleMatching(**matching)
        self.downsampling = downsampling
        self.scale, self.numbers = self.matching.scale, self.matching.numbers  # what TorchScript knows of the options
        self.is_limited = (self.matching.window, self.matching.top_k) != (None, None)
        width = inter_channels or max(1, in_channels // 2)
        convolve = convolution(spatial_dims)

        def embedding(out_channels: int) -> nn.Module:
            conv: nn.Module = convolve(in_channels, out_channels, 1)
            return conv if activation is None else nn.Sequential(conv, Act[activation]())

        self.query, self.key = embedding(width), embedding(width)
        self.value = embedding(value_channels or in_channels)
        self.widen = nn.Identity() if value_channels is None else convolve(value_channels, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map features ``(b, c, *spatial)`` to ``(b, c, *(scale * spatial))`` of the same dtype."""
        if torch.jit.is_scripting():
            return self.widen(self._scripted(x)).to(x.dtype)
        else:  # noqa: RET505 (TorchScript leaves this out)
            return self.widen(self._attend(x)).to(x.dtype)

    @torch.jit.unused
    def _attend(self, x: Tensor) -> Tensor:
        return cross_scale_attention(self.query(x), self.key(self._coarse(x)), self.value(x), self.matching)

    def _scripted(self, x: Tensor) -> Tensor:
        if self.is_limited or self.downsampling == "linear":
            raise ValueError("TorchScript has no cross-scale attention with window, top_k or linear downsampling")
        size = [max(1, n // self.scale) for n in x.shape[2:]]
        coarse = resample_scripted(x, size, antialias=self.downsampling == "antialiased", step=float(self.scale))
        return scripted_cross_scale(self.query(x), self.key(coarse), self.value(x), *self.numbers)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the affinities of ``x`` ``(b, c, *spatial)``, ``(b, n_queries, n_keys)``, in at least float32.

        Patches are in the order of flattened spatial axes.
        """
        return cross_scale_affinity(self.query(x), self.key(self._coarse(x)), self.matching)

    def _coarse(self, x: Tensor) -> Tensor:
        scale = self.matching.scale
        size = [max(1, n // scale) for n in x.shape[2:]]
        if self.downsampling != "linear":
            return resample_cubic(x, size, antialias=self.downsampling == "antialiased", step=scale)
        inside = (slice(None), slice(None), *(slice(n * scale) for n in size))
        return F.interpolate(x[inside], size, mode="bilinear" if len(size) == 2 else "trilinear")

"""Pair of dense U-Nets, one of which guides the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..blocks import ConcatenationFusion, NoiseShift, T1GuidedAttention, start_at_zero
from .dense_unet import DenseUNet, pad_to_multiple

# order of channel and spatial attention on the way down and up
ORDERS = {
    "channel-spatial": ("channel-spatial", "channel-spatial"),
    "spatial-channel": ("spatial-channel", "spatial-channel"),
    "mixed": ("spatial-channel", "channel-spatial"),
}


class GuidedDenseUNet(nn.Module):
    """The network that MANet applies in each domain: two :class:`DenseUNet`, with guidance at each level.

    Feng et al., arXiv:2110.08080. After each pooling and after each level of the way up, features of the guide refine
    those of the target. The guide's stream has no skip connections, those of the target's are from before guidance.

    Args:
        in_channels: number of channels of the target, and of the guide.
        width: number of features.
        attention: order of the parts of :class:`mri_attention.networks.blocks.T1GuidedAttention`; ``"mixed"`` has the
            spatial part first on the way down, and last on the way up. ``"concatenation"`` for a convolution of both.
        attention_options: further arguments of the attention.
        concat_aux: whether the target's stream gets the guide at its input too, as in the authors' code.
        is_residual: add the results to the inputs; the last convolutions start at zero then.
        knows_noise: whether the target's stream is told of the noise, see :class:`NoiseShift`.

    Raises:
        ValueError: if ``attention`` is unknown, or has options that concatenation does not know.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        attention: Literal["channel-spatial", "spatial-channel", "mixed", "concatenation"] = "channel-spatial",
        attention_options: Mapping[str, Any] | None = None,
        concat_aux: bool = True,
        is_residual: bool = False,
        knows_noise: bool = False,
    ) -> None:
        super().__init__()
        if attention not in (*ORDERS, "concatenation"):
            raise ValueError(f"attention must be one of {', '.join(ORDERS)}, concatenation, got {attention!r}")
        if attention == "concatenation" and attention_options:
            raise ValueError(f"concatenation has no attention_options, got {attention_options}")
        self.auxiliary = DenseUNet(in_channels, in_channels, width, has_skips=False)
        self.target = DenseUNet((1 + concat_aux) * in_channels, in_channels, width)
        if is_residual:
            start_at_zero(self.target.head, self.auxiliary.head)
        fusions: list[nn.Module] = []
        for index in range(2):
            for _ in self.target.encoder:
                if attention == "concatenation":
                    fusions.append(ConcatenationFusion(width, 2))
                else:
                    options = {"order": ORDERS[attention][index], **(attention_options or {})}
                    fusions.append(T1GuidedAttention(width, 2, **options))
        n_levels = len(self.target.encoder)
        self.down_fusions = nn.ModuleList(fusions[:n_levels])
        self.up_fusions = nn.ModuleList(fusions[n_levels:])
        self.concat_aux = concat_aux
        self.is_residual = is_residual
        self.noise_shift = NoiseShift(width) if knows_noise else None

    def forward(self, x: Tensor, context: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map target and guide ``(b, in_channels, h, w)`` of any size, and the noise ``(b, 1, 1, 1)``, to both."""
        height, width = x.shape[2:]
        factor = 1 << len(self.target.encoder)
        joined = pad_to_multiple(torch.cat([x, context], 1) if self.concat_aux else x, factor)
        alone = pad_to_multiple(context, factor)
        stem = self.target.stem(joined)
        if self.noise_shift is not None:
            stem = self.noise_shift(stem, noise)
        features, guide_features, skips = self._descend(stem, self.auxiliary.stem(alone))
        features, guide_features = self._ascend(features, guide_features, skips)
        target = self.target.head(features)[..., :height, :width]
        guide = self.auxiliary.head(guide_features)[..., :height, :width]
        return (x + target, context + guide) if self.is_residual else (target, guide)

    def _descend(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        skips: list[Tensor] = []
        for encode, encode_context, fuse in zip(  # noqa: B905 (TorchScript has no strict)
            self.target.encoder, self.auxiliary.encoder, self.down_fusions
        ):
            skips.append(encode(x))
            context = F.max_pool2d(encode_context(context), 2)
            x = fuse(F.max_pool2d(skips[-1], 2), context)
        return self.target.bottom(x), self.auxiliary.bottom(context), skips

    def _ascend(self, x: Tensor, context: Tensor, skips: list[Tensor]) -> tuple[Tensor, Tensor]:
        for fuse, up, decode, up_context, decode_context in zip(  # noqa: B905
            self.up_fusions, self.target.up, self.target.decoder, self.auxiliary.up, self.auxiliary.decoder
        ):
            context = decode_context(up_context(context))
            x = fuse(decode(up(x, skips.pop())), context)
        return x, context

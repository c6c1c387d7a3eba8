"""Residual groups of shifted-window transformers."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.nets.swin_unetr import SwinTransformerBlock, compute_mask, get_window_size
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class SwinGroup(nn.Module):
    """Refine 2D features by residual groups of shifted-window transformer blocks.

    The feature extraction of SwinIR: Liang et al., ICCV workshops 2021 (arXiv:2108.10257). Each group ends with a 3x3
    convolution and adds its input, and so does the whole. The blocks are MONAI's; every second one has
    its windows shifted by half of their size. Features are padded by zeros to whole windows.

    Args:
        in_channels: number of channels of input and output.
        depths: number of blocks of each group.
        n_heads: of attention, in each group.
        window_size: pixels along each axis.
        mlp_ratio: width of a block's perceptron over ``in_channels``.

    Raises:
        ValueError: if there are not as many ``n_heads`` as ``depths``, or one of them does not divide ``in_channels``.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        depths: Sequence[int] = (6, 6, 6, 6),
        n_heads: Sequence[int] = (6, 6, 6, 6),
        window_size: int = 8,
        mlp_ratio: float = 2.0,
    ) -> None:
        super().__init__()
        if len(depths) != len(n_heads) or any(in_channels % n for n in n_heads):
            raise ValueError(f"n_heads must be as many as depths and divide {in_channels=}, got {n_heads=}, {depths=}")
        self.embed = nn.LayerNorm(in_channels)
        self.groups = nn.ModuleList(
            _Group(in_channels, depth, heads, window_size, mlp_ratio)
            for depth, heads in zip(depths, n_heads, strict=True)
        )
        self.norm = nn.LayerNorm(in_channels)
        self.conv = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.window_size = window_size

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype."""
        height, width = x.shape[2:]
        padded = F.pad(x, (0, -width % self.window_size, 0, -height % self.window_size))
        size = padded.shape[2:]
        window, shift = get_window_size(size, [self.window_size] * 2, [self.window_size // 2] * 2)
        mask = compute_mask(size, window, shift, x.device)
        tokens = self.embed(padded.movedim(1, -1))
        for group in self.groups:
            tokens = group(tokens, mask)
        return x + self.conv(self.norm(tokens).movedim(-1, 1))[..., :height, :width].to(x.dtype)


class _Group(nn.Module):
    def __init__(self, in_channels: int, depth: int, n_heads: int, window_size: int, mlp_ratio: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            SwinTransformerBlock(in_channels, n_heads, [window_size] * 2, [shift] * 2, mlp_ratio)
            for shift in (window_size // 2 * (index % 2) for index in range(depth))
        )
        self.conv = nn.Conv2d(in_channels, in_channels, 3, padding=1)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        x = tokens
        for block in self.blocks:
            x = block(x, mask)
        return tokens + self.conv(x.movedim(-1, 1)).movedim(1, -1)

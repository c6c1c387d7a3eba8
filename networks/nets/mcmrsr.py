"""McMRSR: super-resolution by contextual matching with another contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..blocks import ContextualMatching, ResidualAggregation, SpatialAdaptation, SwinGroup, conv3x3, edsr_chain

REFINEMENTS = (12, 8, 4)
BLOCK = 8
SMALLEST = 16


class McMRSR(nn.Module):
    """Features of target and guide from one transformer, matched, and aggregated from the coarse grid to the fine one.

    Li et al., "Transformer-Empowered Multi-Scale Contextual Matching and Aggregation for Multi-Contrast MRI
    Super-Resolution", CVPR 2022 (arXiv:2203.13963). At scale 4 it has 3,177,362 parameters, as the authors' code; at
    scale 2 it has 2,885,222, as what that code does not use there is left out.

    It departs from that code in taking any image size, by repeating the border up to whole blocks of 8 coarse pixels,
    and in being able to make the coarse guide itself. Stochastic depth, which the code leaves to the trainer at 0.1, is
    left out. Data consistency is no part of the network, as there.

    Args:
        scale: 2 or 4.
        width: number of features.
        depths: number of transformer blocks of each group.
        n_heads: of attention, in each group.
        mlp_ratio: width of a transformer block's perceptron over ``width``.
        is_complex: whether images are complex tensors, two channels inside, or real ones.
        grid: where features of the target are enlarged to, so that grids share their outer ``"edges"``, as in the
            authors' code, or the center of their ``"first_voxel"``, as truncated images and the guide's features do.

    Raises:
        ValueError: if ``scale`` is another number or ``grid`` another word, and as
            :class:`mri_attention.networks.blocks.SwinGroup` does.
    """

    def __init__(
        self,
        scale: int = 4,
        width: int = 60,
        depths: Sequence[int] = (6, 6, 6, 6),
        n_heads: Sequence[int] = (6, 6, 6, 6),
        mlp_ratio: float = 2.0,
        is_complex: bool = True,
        grid: Literal["edges", "first_voxel"] = "edges",
    ) -> None:
        super().__init__()
        if scale not in (2, 4):
            raise ValueError(f"scale must be 2 or 4, got {scale}")
        if grid not in ("edges", "first_voxel"):
            raise ValueError(f'grid must be "edges" or "first_voxel", got {grid!r}')
        self.scale = scale
        self.is_complex = is_complex
        self.grid = grid
        n_steps, in_channels = scale // 2, 1 + is_complex
        self.low_stem = nn.Sequential(conv3x3(in_channels, width), nn.ReLU(inplace=True), *edsr_chain(width, 2))
        self.high_stem = conv3x3(in_channels, width)
        self.down = nn.ModuleList(conv3x3(width, width, stride=2) for _ in range(n_steps))
        self.transformer = SwinGroup(width, depths=depths, n_heads=n_heads, mlp_ratio=mlp_ratio)
        self.matching = ContextualMatching(BLOCK)
        self.adaptation = SpatialAdaptation(width)
        self.join = ResidualAggregation(width, 1)
        self.aggregation = ResidualAggregation(width, 2)
        self.refinements = nn.ModuleList(edsr_chain(width, n) for n in REFINEMENTS[: n_steps + 1])
        self.head = conv3x3(width, in_channels)

    def forward(self, low: Tensor, auxiliary: Tensor, auxiliary_low: Tensor | None = None) -> Tensor:
        """Super-resolve the target.

        Args:
            low: the target on the coarse grid, ``(b, 1, h, w)``.
            auxiliary: the guide, ``(b, 1, scale h, scale w)``.
            auxiliary_low: the guide on the coarse grid, ``(b, 1, h, w)``; by truncation of its k-space if it is None.

        Returns:
            ``(b, 1, scale h, scale w)``.

        Raises:
            ValueError: if the sizes do not fit, or images are complex where the network is real or the reverse.
        """
        size = [self.scale * n for n in low.shape[2:]]
        if list(auxiliary.shape[2:]) != size:
            raise ValueError(f"auxiliary must have the size {tuple(size)}, got {tuple(auxiliary.shape[2:])}")
        if auxiliary_low is None:
            auxiliary_low = _truncate(auxiliary, self.scale)
        target, guide_low = (self._pad(self._to_channels(image), 1) for image in (low, auxiliary_low))
        guide = self._pad(self._to_channels(auxiliary), self.scale)
        x, context = (self.transformer(self.low_stem(image)) for image in (target, guide_low))
        image = self.head(self._aggregate(x, self.matching(x, context, self._pyramid(guide))))
        image = image[..., : size[0], : size[1]]
        if self.is_complex:
            return torch.complex(*image.to(low.real.dtype).split(1, 1))  # there is no complex bfloat16
        return image

    def _pyramid(self, guide: Tensor) -> list[Tensor]:
        """Return the guide's features from the coarse grid to the fine one."""
        levels = [self.transformer(self.high_stem(guide))]
        for down in self.down:
            levels.append(self.transformer(down(levels[-1])))
        return levels[::-1]

    def _aggregate(self, x: Tensor, guides: Sequence[Tensor]) -> Tensor:
        x = self.refinements[0](self.join(x, self.adaptation(x, guides[0])))
        for guide, refine in zip(guides[1:], list(self.refinements)[1:], strict=True):
            x = refine(self.aggregation(x, self.adaptation(self._enlarge(x), guide)))
        return x

    def _enlarge(self, x: Tensor) -> Tensor:
        if self.grid == "edges":
            return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        between = [2 * n - 1 for n in x.shape[2:]]
        return F.pad(F.interpolate(x, between, mode="bilinear", align_corners=True), (0, 1, 0, 1), "replicate")

    def _to_channels(self, image: Tensor) -> Tensor:
        if image.is_complex() != self.is_complex:
            raise ValueError(f"images must be {'complex' if self.is_complex else 'real'}, got {image.dtype}")
        return torch.cat([image.real, image.imag], 1) if self.is_complex else image

    @staticmethod
    def _pad(image: Tensor, scale: int) -> Tensor:
        """Repeat the border up to whole blocks, and to the smallest size that matching takes."""
        coarse = (n // scale for n in image.shape[2:])
        missing = [scale * (max(SMALLEST, n + -n % BLOCK) - n) for n in coarse]
        return F.pad(image, (0, missing[1], 0, missing[0]), "replicate")


def _truncate(image: Tensor, scale: int) -> Tensor:
    """Keep the center of k-space, at unchanged intensity."""
    axes, size = (-2, -1), [n // scale for n in image.shape[-2:]]
    kspace = torch.fft.fftshift(torch.fft.fft2(image), axes)
    starts = [n // 2 - m // 2 for n, m in zip(image.shape[-2:], size, strict=True)]
    center = kspace[..., starts[0] : starts[0] + size[0], starts[1] : starts[1] + size[1]]
    low = torch.fft.ifft2(torch.fft.ifftshift(center, axes)) / scale**2
    return low if image.is_complex() else low.real

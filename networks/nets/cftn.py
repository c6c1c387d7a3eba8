"""CFTN: super-resolution of brain volumes by cross-scale feature transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.networks.blocks import SubpixelUpsample
from torch import Tensor, nn

from ..blocks import MutualProjection, ResidualChannelAttentionBlock, SpatialAttentionFusion, SubpixelVolume
from .interpolation import Interpolation, Method

SLOPE = 0.2  # of the leaky ReLU for negative values


class CFTN(nn.Module):
    """Magnify volumes by residual channel attention, with features of the fine grid from other scales on the way.

    Zhang et al., "3D Cross-Scale Feature Transformer Network for Brain MR Image Super-Resolution", ICASSP 2022. Ten
    residual blocks lead from X0 to X10; where there is a :class:`MutualProjection`, its X' goes on instead of X, and
    its Y' to the fine grid. All X and X' are concatenated, fused, and brought to the fine grid by sub-pixel
    convolution, where Y' is added and :class:`SpatialAttentionFusion` weights the voxels. What comes out is added to
    the cubic interpolation of the input.

    Sizes that the paper gives in M are those of its files in MiB, as far as can be told: fusion and sub-pixel layers
    of 3x3x3 with the layers of :class:`MutualProjection` fit all of them. At x2 it has 2,371,327 parameters without,
    3,495,974, 4,620,566 and 5,745,158 with one, two and three of these (9.06, 13.35, 17.63 and 21.93 M in Table 2). The
    Y' of several are added up, and X0 is left out of the concatenation.

    Args:
        scale: 2 or 3; or three numbers from 1 to 3, one for each axis, such as 1, 1 and 3 for thick slices, which
            cross-scale attention does not know: ``projections`` must be empty then.
        channels: width of the features.
        n_blocks: number of residual blocks.
        projections: after how many residual blocks there is a mutual projection: none, or any of 0 to ``n_blocks``;
            1, 5 and 9, after the first, the fifth and before the last, are pre, mid and post in Table 2.
        spatial_fusion: False adds up the features of the fine grid without weights (Table 1).
        reduction: of the channel attention.
        interpolation: of the input, see :class:`Interpolation`.
        attention_options: further options of :class:`CrossScaleTransformer`.

    Raises:
        ValueError: if ``scale`` is not as above, or ``projections`` has doubles or others than 0 to ``n_blocks``.
    """

    def __init__(
        self,
        scale: int | Sequence[int] = 2,
        channels: int = 48,
        n_blocks: int = 10,
        projections: Sequence[int] = (5,),
        spatial_fusion: bool = True,
        reduction: int = 16,
        interpolation: Method = "cubic",
        attention_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        _check_scale(scale, projections)
        if len(set(projections)) < len(projections) or not set(projections) <= set(range(n_blocks + 1)):
            raise ValueError(f"projections must be different numbers from 0 to {n_blocks}, got {tuple(projections)}")
        self.interpolation = Interpolation(scale, interpolation)
        self.head = nn.Sequential(nn.Conv3d(1, channels, 3, padding=1), nn.LeakyReLU(SLOPE))
        self.blocks = nn.ModuleList(
            ResidualChannelAttentionBlock(channels, reduction=reduction) for _ in range(n_blocks)
        )
        options = {"scale": scale, **(attention_options or {})}
        self.projections = nn.ModuleDict(
            {str(place): MutualProjection(channels, **options) for place in sorted(projections)}
        )
        n_features = n_blocks + len(projections)
        self.fuse = nn.Conv3d(n_features * channels, channels, 3, padding=1)
        self.up: nn.Module
        if isinstance(scale, int):
            self.up = SubpixelUpsample(3, channels, channels, scale, apply_pad_pool=False)
        else:
            self.up = SubpixelVolume(channels, channels, scale)
        self.fine_fusion = SpatialAttentionFusion() if projections and spatial_fusion else None
        self.tail = nn.Conv3d(channels, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 1, x, y, z)`` of any size to ``(b, 1, *(scale * size))``; scales multiply axis by axis."""
        features, fine = self._coarse(x)
        fine = [self.up(self.fuse(torch.cat(features, 1)))] + fine  # noqa: RUF005 (TorchScript)
        fused = fine[0]
        for other in fine[1:]:
            fused = fused + other
        if self.fine_fusion is not None:
            fused = self.fine_fusion(fused)
        return self.interpolation(x) + self.tail(fused).to(x.dtype)

    def _coarse(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """All features of the coarse grid but X0, and those of the fine grid."""
        features: list[Tensor] = []
        fine: list[Tensor] = []
        running = self._project(0, self.head(x), features, fine)
        for index, block in enumerate(self.blocks):
            running = block(running)
            features.append(running)
            running = self._project(index + 1, running, features, fine)
        return features, fine

    def _project(self, place: int, running: Tensor, features: list[Tensor], fine: list[Tensor]) -> Tensor:
        """Append what a mutual projection makes of the features after ``place`` blocks, if there is one."""
        for name, projection in self.projections.items():
            if int(name) == place:
                running, found = projection(running)
                features.append(running)
                fine.append(found)
        return running


def _check_scale(scale: int | Sequence[int], projections: Sequence[int]) -> None:
    if isinstance(scale, int):
        if scale not in (2, 3):
            raise ValueError(f"scale must be 2 or 3, got {scale}")
        return
    if len(scale) != 3 or not set(scale) <= {1, 2, 3} or max(scale) == 1:
        raise ValueError(f"scale must be three numbers from 1 to 3, not all of them 1, got {tuple(scale)}")
    if projections:
        raise ValueError(f"cross-scale attention has one scale for all axes: give no projections, got {projections}")

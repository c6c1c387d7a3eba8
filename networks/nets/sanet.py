"""SANet: super-resolution of one contrast, guided by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..blocks import (
    ConcatenationFusion,
    ContrastBranch,
    MultiStageIntegration,
    ResidualGroup,
    SeparableAttention,
    conv3x3,
)

FUSIONS = {"separable": SeparableAttention, "concatenation": ConcatenationFusion, "none": None}


class SANet(nn.Module):
    """Two branches of residual groups on the fine grid; at each stage, that of the guide refines that of the target.

    Feng et al., "Exploring Separable Attention for Multi-Contrast MR Image Super-Resolution", IEEE Trans Neural Netw
    Learn Syst 2024 (arXiv:2109.01664). At scale 2 it has 2,467,487, 4,637,057 and 6,806,627 parameters at 2, 4 and 6
    stages; all are used, where the authors' code has 11,413,707 of which 4,637,057 are.

    It follows that code where it differs from the paper: a stage's residual groups come before its separable attention
    (Eq. 4 has them after: ``fusion_first``), stages enter the integration before their fusion, its result joins the
    target's features by convolution (Eq. 8 adds features of different widths; ``join="sum"`` adds them once
    ``summary`` made the widths equal), and M_Att and the integration start as the identity (as printed they have no
    gamma: ``gamma=None``, ``integration="paper"``). What is printed of the separable attention is among its options.
    It follows the paper where the code stops after four of six stages.

    Table III of the paper leaves out the separable attention in all of Ab1 to Ab4 (``fusion="none"`` or
    ``"concatenation"``), the integration in Ab1 to Ab3 (``integration="none"``), the guide in Ab1 and Ab2
    (``auxiliary="none"``), and M_Att in Ab1 alone (``enhancement=False``). Other combinations that leave no weight
    unused can be had too.

    Args:
        scale: 3 or a power of two.
        n_stages: number of residual groups of a branch, and of fusions.
        n_blocks: number of residual channel attention blocks of a group.
        width: number of features.
        fusion: how the guide refines the target. Without a guide, separable attention is of the target to itself.
        fusion_options: of :class:`mri_attention.networks.blocks.SeparableAttention`.
        integration: a form of :class:`mri_attention.networks.blocks.MultiStageIntegration`, or ``"none"``.
        auxiliary: ``"high"`` for a guide on the fine grid, ``"low"`` for one on the coarse grid, so that both contrasts
            are super-resolved, or ``"none"``.
        options: ``fusion_first=True`` lets the guide refine the target before its residual group, not after;
            ``enhancement``, ``gamma`` and ``join`` of :class:`mri_attention.networks.blocks.ContrastBranch`.

    Raises:
        ValueError: if an option is unknown, there is no stage, or the options leave the guide without effect or ask for
            concatenation without a guide.
    """

    def __init__(
        self,
        scale: int = 2,
        n_stages: int = 6,
        n_blocks: int = 6,
        width: int = 64,
        fusion: Literal["separable", "concatenation", "none"] = "separable",
        fusion_options: Mapping[str, Any] | None = None,
        integration: Literal["han", "paper", "none"] = "han",
        auxiliary: Literal["high", "low", "none"] = "high",
        **options: Any,
    ) -> None:
        super().__init__()
        _check(n_stages, fusion, integration, auxiliary)
        self.scale = scale
        self.auxiliary_grid = auxiliary
        self.fusion_first = bool(options.pop("fusion_first", False))
        is_guided, is_integrated = auxiliary != "none", integration != "none"
        self.target = ContrastBranch(
            self._stages(n_stages, n_blocks, width), width, scale, int(is_integrated), **options
        )
        self.auxiliary = None
        if is_guided:
            guide_scale = scale if auxiliary == "low" else None
            self.auxiliary = ContrastBranch(self._stages(n_stages, n_blocks, width), width, guide_scale, **options)
        block = FUSIONS[fusion]
        n_fused = len(self.target.stages)
        fusions = [] if block is None else [block(width, 2, **(fusion_options or {})) for _ in range(n_fused)]
        self.fusions = nn.ModuleList(fusions) if fusions else None
        self.integration = self.summary = None
        if is_integrated:
            self.integration = MultiStageIntegration(integration)  # type: ignore[arg-type]
            self.summary = conv3x3((1 + is_guided) * n_fused * width, width)

    def forward(self, low: Tensor, auxiliary: Tensor | None = None) -> Tensor:
        """Super-resolve the target.

        Args:
            low: the target on the coarse grid, ``(b, 1, h, w)``.
            auxiliary: the guide, ``(b, 1, scale h, scale w)``, or ``(b, 1, h, w)`` if it is on the coarse grid too.

        Returns:
            ``(b, 2, scale h, scale w)``: the target, then the guide as the network reproduces it, on which the second
            term of the loss acts. Without a guide ``(b, 1, scale h, scale w)``.

        Raises:
            ValueError: if the guide is missing, not expected, or of another size than told above.
        """
        self._check_sizes(low, auxiliary)
        target = first = self.target.begin(low)
        guide: Tensor | None = None
        guides: list[Tensor] = []
        if self.auxiliary is not None and auxiliary is not None:
            guide = self.auxiliary.begin(auxiliary)
            guides.append(guide)
        stages: list[Tensor] = []
        for index in range(len(self.target.stages)):
            if self.auxiliary is not None and guide is not None:
                guide = self.auxiliary.stage(index, guide)
                guides.append(guide)
            if self.fusion_first:
                target = self._fuse(index, target, guide)
            target = self.target.stage(index, target)
            stages.append(target)
            if not self.fusion_first:
                target = self._fuse(index, target, guide)
        image = self.target.end(target, first, self._summarize(guides[1:] + stages))
        if self.auxiliary is None:
            return image
        return torch.cat([image, self.auxiliary.end(guides[-1], guides[0], [])], 1)

    def _fuse(self, index: int, target: Tensor, guide: Tensor | None) -> Tensor:
        if self.fusions is not None:
            for place, fuse in enumerate(self.fusions):
                if place == index:
                    target = fuse(target, guide)
        return target

    @staticmethod
    def _stages(n_stages: int, n_blocks: int, width: int) -> list[nn.Module]:
        return [ResidualGroup(width, 2, n_blocks=n_blocks) for _ in range(n_stages)]

    def _summarize(self, stages: list[Tensor]) -> list[Tensor]:
        if self.integration is None or self.summary is None:
            return []
        return [self.summary(self.integration(torch.stack(stages, 1)).flatten(1, 2))]

    def _check_sizes(self, low: Tensor, auxiliary: Tensor | None) -> None:
        if (auxiliary is None) != (self.auxiliary is None):
            problem = "missing" if auxiliary is None else "not expected"
            raise ValueError(f"auxiliary is {problem}")
        if auxiliary is None:
            return
        factor = self.scale if self.auxiliary_grid == "high" else 1
        expected, size = [factor * n for n in low.shape[2:]], list(auxiliary.shape[2:])
        if size != expected:
            raise ValueError(f"auxiliary must have the size {expected}, got {size}")


def _check(n_stages: int, fusion: str, integration: str, auxiliary: str) -> None:
    for name, value, known in (
        ("fusion", fusion, tuple(FUSIONS)),
        ("integration", integration, ("han", "paper", "none")),
        ("auxiliary", auxiliary, ("high", "low", "none")),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    if n_stages < 1:
        raise ValueError(f"n_stages must not be below 1, got {n_stages}")
    if auxiliary == "none" and fusion == "concatenation":
        raise ValueError("fusion by concatenation needs an auxiliary")
    if auxiliary != "none" and fusion == integration == "none":
        raise ValueError("without fusion and integration, the auxiliary has no effect on the target")

"""MINet: super-resolution of one contrast, guided by another at every stage."""

from __future__ import annotations

from typing import Literal

from torch import nn

from ..blocks import conv3x3
from .sanet import SANet


class MINet(SANet):
    """SANet's predecessor, with fusion by concatenation: Feng et al., MICCAI 2021 (arXiv:2105.08949).

    A branch has ``n_groups`` residual groups and a closing convolution; each of them is a stage with its own fusion, as
    in the authors' code, whose summary of the stages is widened here to the 2 (n_groups + 1) width features that it
    gets. At scale 2 it has 6,748,189 parameters with 6 groups, and 2,551,901 with 2.

    Args:
        scale: 3 or a power of two; the authors' code knows 2 alone.
        n_groups: number of residual groups of a branch.
        n_blocks: number of residual channel attention blocks of a group.
        width: number of features.
        integration: see :class:`SANet`.
        auxiliary: see :class:`SANet`; ``"high"`` or ``"low"``.

    Raises:
        ValueError: as :class:`SANet` does.
    """

    def __init__(
        self,
        scale: int = 2,
        n_groups: int = 6,
        n_blocks: int = 6,
        width: int = 64,
        integration: Literal["han", "paper", "none"] = "han",
        auxiliary: Literal["high", "low"] = "high",
    ) -> None:
        super().__init__(scale, n_groups, n_blocks, width, "concatenation", None, integration, auxiliary)

    @staticmethod
    def _stages(n_stages: int, n_blocks: int, width: int) -> list[nn.Module]:
        return [*SANet._stages(n_stages, n_blocks, width), conv3x3(width, width)]

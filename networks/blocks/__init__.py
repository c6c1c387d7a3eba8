from .attention import ATTENTION, build_attention
from .folded_attention import FoldedAttention
from .group_norm import GroupNorm3d

__all__ = ["ATTENTION", "FoldedAttention", "GroupNorm3d", "build_attention"]

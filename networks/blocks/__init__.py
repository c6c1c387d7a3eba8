from .attention import ATTENTION, build_attention
from .folded_attention import FoldedAttention
from .group_norm import GroupNorm3d
from .literal_folded_attention import LiteralFoldedAttention

__all__ = ["ATTENTION", "FoldedAttention", "GroupNorm3d", "LiteralFoldedAttention", "build_attention"]

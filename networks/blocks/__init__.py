from .attention import ATTENTION, build_attention
from .dipole_data_consistency import DipoleDataConsistency
from .folded_attention import FoldedAttention
from .group_norm import GroupNorm3d

__all__ = ["ATTENTION", "DipoleDataConsistency", "FoldedAttention", "GroupNorm3d", "build_attention"]

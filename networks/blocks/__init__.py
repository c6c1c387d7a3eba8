from .attention import ATTENTION, build_attention
from .attention_gate import AttentionGate, MultiAttentionGate
from .channel_attention import ChannelAttention
from .channel_spatial_attention import ChannelSpatialAttention
from .cross_scale_attention import cross_scale_affinity, cross_scale_attention
from .cross_scale_matching import CrossScaleMatching
from .cross_scale_transformer import CrossScaleTransformer
from .dipole_data_consistency import DipoleDataConsistency
from .dual_attention import ChannelGramAttention, DualAttention, PositionAttention
from .folded_attention import FoldedAttention
from .group_norm import GroupNorm3d
from .literal_folded_attention import LiteralFoldedAttention
from .mutual_projection import MutualProjection
from .recurrent_slice_attention import RecurrentSliceAttention
from .residual_channel_attention import ResidualChannelAttention
from .self_attention import SelfAttention
from .spatial_attention_fusion import SpatialAttentionFusion

__all__ = [
    "ATTENTION",
    "AttentionGate",
    "ChannelAttention",
    "ChannelGramAttention",
    "ChannelSpatialAttention",
    "CrossScaleMatching",
    "CrossScaleTransformer",
    "DipoleDataConsistency",
    "DualAttention",
    "FoldedAttention",
    "GroupNorm3d",
    "LiteralFoldedAttention",
    "MultiAttentionGate",
    "MutualProjection",
    "PositionAttention",
    "RecurrentSliceAttention",
    "ResidualChannelAttention",
    "SelfAttention",
    "SpatialAttentionFusion",
    "build_attention",
    "cross_scale_affinity",
    "cross_scale_attention",
]

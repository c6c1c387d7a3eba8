from .attention import ATTENTION, build_attention
from .attention_gate import AttentionGate, MultiAttentionGate
from .channel_attention import ChannelAttention
from .channel_spatial_attention import ChannelSpatialAttention
from .channel_spatial_convolution import ChannelSpatialConvolution
from .concatenation_fusion import ConcatenationFusion
from .contextual_matching import ContextualMatching
from .dipole_data_consistency import DipoleDataConsistency
from .dual_attention import ChannelGramAttention, DualAttention, PositionAttention
from .folded_attention import FoldedAttention
from .group_norm import GroupNorm3d
from .literal_folded_attention import LiteralFoldedAttention
from .multi_stage_integration import MultiStageIntegration
from .recurrent_slice_attention import RecurrentSliceAttention
from .residual_aggregation import ResidualAggregation
from .residual_channel_attention import ResidualChannelAttentionBlock, ResidualGroup
from .self_attention import SelfAttention
from .separable_attention import SeparableAttention
from .spatial_adaptation import SpatialAdaptation
from .subpixel_upsampling import SubpixelUpsampling
from .swin_group import SwinGroup

__all__ = [
    "ATTENTION",
    "AttentionGate",
    "ChannelAttention",
    "ChannelGramAttention",
    "ChannelSpatialAttention",
    "ChannelSpatialConvolution",
    "ConcatenationFusion",
    "ContextualMatching",
    "DipoleDataConsistency",
    "DualAttention",
    "FoldedAttention",
    "GroupNorm3d",
    "LiteralFoldedAttention",
    "MultiAttentionGate",
    "MultiStageIntegration",
    "PositionAttention",
    "RecurrentSliceAttention",
    "ResidualAggregation",
    "ResidualChannelAttentionBlock",
    "ResidualGroup",
    "SelfAttention",
    "SeparableAttention",
    "SpatialAdaptation",
    "SubpixelUpsampling",
    "SwinGroup",
    "build_attention",
]

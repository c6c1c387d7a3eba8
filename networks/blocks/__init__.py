from .additive_dense_block import AdditiveDenseBlock
from .attention import ATTENTION, build_attention
from .attention_gate import AttentionGate, MultiAttentionGate
from .channel_attention import ChannelAttention
from .channel_spatial_attention import ChannelSpatialAttention
from .channel_spatial_convolution import ChannelSpatialConvolution
from .concatenation_fusion import ConcatenationFusion
from .contextual_matching import ContextualMatching
from .contrast_branch import ContrastBranch
from .convolutions import conv3x3, convolution, convolution_chain, start_at_zero
from .cross_scale_attention import cross_scale_affinity, cross_scale_attention
from .cross_scale_matching import CrossScaleMatching
from .cross_scale_transformer import CrossScaleTransformer
from .dilated_dense_block import DenseBlock, DilatedDenseBlock
from .dipole_data_consistency import DipoleDataConsistency
from .dual_attention import ChannelGramAttention, DualAttention, PositionAttention
from .edsr_residual_block import EDSRResidualBlock, edsr_chain
from .folded_attention import FoldedAttention
from .group_norm import GroupNorm3d
from .kspace_data_consistency import KspaceDataConsistency
from .literal_folded_attention import LiteralFoldedAttention
from .multi_stage_integration import MultiStageIntegration
from .mutual_projection import MutualProjection
from .noise_shift import NoiseShift
from .recurrent_slice_attention import RecurrentSliceAttention
from .residual_aggregation import ResidualAggregation
from .residual_channel_attention import ResidualChannelAttentionBlock, ResidualGroup
from .self_attention import SelfAttention
from .separable_attention import SeparableAttention
from .spatial_adaptation import SpatialAdaptation
from .spatial_attention_fusion import SpatialAttentionFusion
from .subpixel_upsampling import SubpixelUpsampling
from .subpixel_volume import SubpixelVolume
from .swin_group import SwinGroup
from .t1_guided_attention import T1GuidedAttention

__all__ = [
    "ATTENTION",
    "AdditiveDenseBlock",
    "AttentionGate",
    "ChannelAttention",
    "ChannelGramAttention",
    "ChannelSpatialAttention",
    "ChannelSpatialConvolution",
    "ConcatenationFusion",
    "ContextualMatching",
    "ContrastBranch",
    "CrossScaleMatching",
    "CrossScaleTransformer",
    "DenseBlock",
    "DilatedDenseBlock",
    "DipoleDataConsistency",
    "DualAttention",
    "EDSRResidualBlock",
    "FoldedAttention",
    "GroupNorm3d",
    "KspaceDataConsistency",
    "LiteralFoldedAttention",
    "MultiAttentionGate",
    "MultiStageIntegration",
    "MutualProjection",
    "NoiseShift",
    "PositionAttention",
    "RecurrentSliceAttention",
    "ResidualAggregation",
    "ResidualChannelAttentionBlock",
    "ResidualGroup",
    "SelfAttention",
    "SeparableAttention",
    "SpatialAdaptation",
    "SpatialAttentionFusion",
    "SubpixelUpsampling",
    "SubpixelVolume",
    "SwinGroup",
    "T1GuidedAttention",
    "build_attention",
    "conv3x3",
    "convolution",
    "convolution_chain",
    "cross_scale_affinity",
    "cross_scale_attention",
    "edsr_chain",
    "start_at_zero",
]

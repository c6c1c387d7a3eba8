"""The 3D U-Net with self-attention between all voxels at its bottom."""

from __future__ import annotations

from .attention_unet3d import AttentionUNet3D


class NonLocalUNet(AttentionUNet3D):
    """FA-Net's backbone with the non-local block of Wang et al., CVPR 2018 (arXiv:1711.07971).

    Arguments and errors are those of :class:`AttentionUNet3D`; ``attention_options`` are those of
    :class:`mri_attention.networks.blocks.SelfAttention`.
    """

    block = "self"

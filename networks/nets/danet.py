"""DA-Net: the 3D U-Net with dual attention at its bottom."""

from __future__ import annotations

from .attention_unet3d import AttentionUNet3D


class DANet(AttentionUNet3D):
    """FA-Net's backbone with the dual attention of Fu et al., CVPR 2019 (arXiv:1809.02983).

    Arguments and errors are those of :class:`AttentionUNet3D`; ``attention_options`` are those of
    :class:`mri_attention.networks.blocks.DualAttention`.
    """

    block = "dual"

"""RSANet: the 3D U-Net with recurrent slice-wise attention at its bottom."""

from __future__ import annotations

from .attention_unet3d import AttentionUNet3D


class RSANet(AttentionUNet3D):
    """RSANet for segmentation: Zhang et al., MICCAI 2019 (arXiv:2002.12470).

    At the default widths it has 24,554,339 parameters, as the original has. Arguments and errors are those of
    :class:`AttentionUNet3D`; ``attention_options`` are those of
    :class:`mri_attention.networks.blocks.RecurrentSliceAttention`.
    """

    block = "recurrent_slice"

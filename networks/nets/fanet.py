"""FA-Net: the 3D U-Net with folded attention at its bottom."""

from __future__ import annotations

from .attention_unet3d import AttentionUNet3D


class FANet(AttentionUNet3D):
    """FA-Net for segmentation: Zhang et al., AAAI 2021 (arXiv:2009.05576).

    At the default widths it has 24,554,337 parameters. Arguments and errors are those of :class:`AttentionUNet3D`;
    ``attention_options`` are those of :class:`mri_attention.networks.blocks.FoldedAttention`.
    """

    block = "folded"

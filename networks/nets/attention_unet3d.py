"""The 3D U-Nets with one attention block at their bottom."""

from __future__ import annotations

from .unet3d import UNet3D


class DANet(UNet3D):
    """FA-Net's backbone with the dual attention of Fu et al., CVPR 2019 (arXiv:1809.02983).

    Arguments and errors are those of :class:`UNet3D`; ``attention_options`` are those of
    :class:`mri_attention.networks.blocks.DualAttention`.
    """

    block = "dual"


class FANet(UNet3D):
    """FA-Net for segmentation: Zhang et al., AAAI 2021 (arXiv:2009.05576).

    At the default widths it has 24,554,337 parameters. Arguments and errors are those of :class:`UNet3D`;
    ``attention_options`` are those of :class:`mri_attention.networks.blocks.FoldedAttention`.
    """

    block = "folded"


class NonLocalUNet(UNet3D):
    """FA-Net's backbone with the non-local block of Wang et al., CVPR 2018 (arXiv:1711.07971).

    Arguments and errors are those of :class:`UNet3D`; ``attention_options`` are those of
    :class:`mri_attention.networks.blocks.SelfAttention`.
    """

    block = "self"


class RSANet(UNet3D):
    """RSANet for segmentation: Zhang et al., MICCAI 2019 (arXiv:2002.12470).

    At the default widths it has 24,554,339 parameters, as the original has. Arguments and errors are those of
    :class:`UNet3D`; ``attention_options`` are those of
    :class:`mri_attention.networks.blocks.RecurrentSliceAttention`.
    """

    block = "recurrent_slice"

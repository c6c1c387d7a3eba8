"""U-Net of dense blocks, and one that joins two contrasts at its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ...operators.fourier import kspace_to_image
from ..blocks import AdditiveDenseBlock, start_at_zero


class DenseUNet(nn.Module):
    """U-Net with an additive dense block at each level and as many features at all of them.

    One stream of MANet (Feng et al., arXiv:2110.08080): a 1x1 convolution, levels that end with max pooling, a bottom,
    and levels that begin with a transposed and a plain convolution. Images are padded by zeros to whole numbers of
    coarsest pixels.

    Args:
        in_channels: number of images in.
        out_channels: number of images out.
        width: number of features.
        n_levels: number of poolings.
        has_skips: whether features of the way down join those of the way up.
    """

    def __init__(
        self, in_channels: int = 1, out_channels: int = 1, width: int = 64, n_levels: int = 4, has_skips: bool = True
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 1)
        self.encoder = nn.ModuleList(AdditiveDenseBlock(width, 2) for _ in range(n_levels))
        self.bottom = AdditiveDenseBlock(width, 2)
        self.up = nn.ModuleList(_Up(width, has_skips) for _ in range(n_levels))
        self.decoder = nn.ModuleList(AdditiveDenseBlock(width, 2) for _ in range(n_levels))
        self.head = nn.Conv2d(width, out_channels, 1)
        self.has_skips = has_skips

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(b, in_channels, h, w)`` of any size to ``(b, out_channels, h, w)``."""
        height, width = x.shape[2:]
        x = self.stem(pad_to_multiple(x, 1 << len(self.encoder)))
        skips: list[Tensor] = []
        for encode in self.encoder:
            skips.append(encode(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for up, decode in zip(self.up, self.decoder):  # noqa: B905 (TorchScript has no strict)
            skip = skips.pop()
            x = decode(up(x, skip) if self.has_skips else up(x))
        return self.head(x)[..., :height, :width]


class EarlyFusionDenseUNet(nn.Module):
    """Reconstruct from the zero-filled image and the guide, concatenated: after Xiang et al.

    Xiang et al., "Ultra-Fast T2-Weighted MR Reconstruction Using Complementary T1-Weighted Information", MICCAI 2018,
    doi:10.1007/978-3-030-00928-1_25. Its layers are not public: this is the U-Net of MANet's target stream, which is of
    the same family, with the two magnitudes at its input.

    Args:
        width: number of features.
        n_levels: number of poolings.
        is_residual: add the result to the magnitude of the target; the last convolution starts at zero then.
    """

    def __init__(self, width: int = 64, n_levels: int = 4, is_residual: bool = False) -> None:
        super().__init__()
        self.unet = DenseUNet(2, 1, width, n_levels)
        self.is_residual = is_residual
        if is_residual:
            start_at_zero(self.unet.head)

    def forward(self, kspace: Tensor, auxiliary: Tensor, *others: Tensor | None) -> Tensor:
        """Reconstruct a magnitude image ``(b, 1, h, w)``.

        Args:
            kspace: undersampled, complex, centered and orthonormal, ``(b, 1, h, w)``; zero, or an estimate, where there
                is no sample.
            auxiliary: image of the guide, real or complex, of the same shape.
            others: not used; for the same call as the other networks of this task.
        """
        magnitude = kspace_to_image(kspace).abs()
        image: Tensor = self.unet(torch.cat([magnitude, auxiliary.abs()], 1))
        return magnitude + image if self.is_residual else image


def pad_to_multiple(x: Tensor, factor: int) -> Tensor:
    """Append zeros until ``factor`` divides the last two sizes."""
    height, width = x.shape[-2:]
    return F.pad(x, [0, -width % factor, 0, -height % factor])


class _Up(nn.Module):
    def __init__(self, width: int, has_skip: bool) -> None:
        super().__init__()
        self.transposed = nn.ConvTranspose2d(width, width, 4, stride=2, padding=1)
        self.conv = nn.Conv2d((1 + has_skip) * width, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        x = self.transposed(x)
        return self.norm(self.conv(x if skip is None else torch.cat([x, skip], 1))).relu()

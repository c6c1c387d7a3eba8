"""DuDoRNet: recurrent reconstruction in image domain and k-space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...operators.fourier import Norm, image_to_kspace, kspace_to_image
from ..blocks import DilatedDenseBlock, KspaceDataConsistency, conv3x3


class DRDN(nn.Module):
    """Dilated residual dense network: Zhou and Zhou, CVPR 2020 (arXiv:2001.03799).

    It has 325,314 parameters at four channels in, and 324,738 at two.

    Args:
        in_channels: number of channels in.
        out_channels: number of channels out.
        width: number of features.
        n_blocks: number of :class:`mri_attention.networks.blocks.DilatedDenseBlock`.
        growth: number of channels of each convolution in a block.
        dilations: of these convolutions.
    """

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 2,
        width: int = 32,
        n_blocks: int = 3,
        growth: int = 32,
        dilations: Sequence[int] = (1, 2, 3, 3),
    ) -> None:
        super().__init__()
        self.stem = conv3x3(in_channels, width)
        self.entry = conv3x3(width, width)
        self.blocks = nn.ModuleList(DilatedDenseBlock(width, growth, dilations) for _ in range(n_blocks))
        self.fusion = nn.Sequential(nn.Conv2d(n_blocks * width, width, 1), conv3x3(width, width))
        self.head = nn.Sequential(conv3x3(width, growth), conv3x3(growth, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, in_channels, h, w)`` to ``(b, out_channels, h, w)``."""
        first = self.stem(x)
        features, outputs = self.entry(first), []
        for block in self.blocks:
            features = block(features)
            outputs.append(features)
        return self.head(self.fusion(torch.cat(outputs, 1)) + first)


class DuDoRNet(nn.Module):
    """Reconstruct by turns in the image and in k-space, with data consistency after each: dual-domain recurrence.

    Zhou and Zhou, "DuDoRNet: Learning a Dual-Domain Recurrent Network for Fast MRI Reconstruction with Deep T1 Prior",
    CVPR 2020 (arXiv:2001.03799). The two networks are the same ones in all recurrences. It has 650,628 parameters with
    a guide. It departs from the authors' code by orthonormal transforms, and by taking the measured samples alone for
    data consistency, which is the same without noise.

    Args:
        n_recurrences: how often both networks are applied.
        is_guided: whether the networks get image and k-space of a guide.
        width: see :class:`DRDN`.
        n_blocks: see :class:`DRDN`.
        growth: see :class:`DRDN`.
        dilations: see :class:`DRDN`.
        norm: of the Fourier transforms; ``"backward"`` for weights of the authors' code.
        noise_weight: see :class:`mri_attention.networks.blocks.KspaceDataConsistency`.
        prediction_error: likewise; with it, samples are weighed by their noise.

    Raises:
        ValueError: if ``n_recurrences`` is below one, or ``norm`` is unknown.
    """

    def __init__(  # noqa: PLR0913 (the sizes of its two networks)
        self,
        n_recurrences: int = 5,
        is_guided: bool = True,
        width: int = 32,
        n_blocks: int = 3,
        growth: int = 32,
        dilations: Sequence[int] = (1, 2, 3, 3),
        norm: Norm = "ortho",
        noise_weight: float | None = None,
        prediction_error: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if n_recurrences < 1:
            raise ValueError(f"n_recurrences must not be below 1, got {n_recurrences}")
        if norm not in ("ortho", "backward"):
            raise ValueError(f'norm must be "ortho" or "backward", got {norm!r}')
        in_channels = 4 if is_guided else 2
        self.image = DRDN(in_channels, 2, width, n_blocks, growth, dilations)
        self.kspace = DRDN(in_channels, 2, width, n_blocks, growth, dilations)
        self.consistency = KspaceDataConsistency(noise_weight, prediction_error)
        self.n_recurrences = n_recurrences
        self.is_guided = is_guided
        self.norm = norm

    def forward(
        self,
        kspace: Tensor,
        auxiliary: Tensor | None = None,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Reconstruct the target.

        Args:
            kspace: undersampled, complex, centered, zero where there is no sample, ``(b, 1, h, w)``.
            auxiliary: image of the guide, real or complex, of the same shape.
            mask: True where there are samples, broadcastable; where ``kspace`` is not zero if it is None.
            noise: standard deviation of the real and of the imaginary part of samples, ``(b, 1, 1, 1)``; None for none.
            measured: samples as measured, where ``kspace`` is an estimate there too; ``kspace`` if it is None.

        Returns:
            ``image``, complex, ``(b, 1, h, w)``; and, for the loss, ``images`` after data consistency and ``kspaces``
            before it, of each recurrence, complex, ``(b, n_recurrences, h, w)``.

        Raises:
            ValueError: if the guide is missing or not expected.
        """
        if (auxiliary is None) == self.is_guided:
            raise ValueError(f"auxiliary is {'missing' if auxiliary is None else 'not expected'}")
        guide = [] if auxiliary is None else [auxiliary + 0j]
        guide_kspace = [self._to_kspace(image) for image in guide]
        samples = kspace if measured is None else measured
        image, images, kspaces = self._to_image(kspace), [], []
        for _ in range(self.n_recurrences):
            predicted = self._to_kspace(_apply(self.image, image, *guide))
            agreeing = self.consistency(predicted, samples, mask, noise)
            images.append(self._to_image(agreeing))
            kspaces.append(_apply(self.kspace, agreeing, *guide_kspace))
            image = self._to_image(self.consistency(kspaces[-1], samples, mask, noise))
        return {"image": image, "images": torch.cat(images, 1), "kspaces": torch.cat(kspaces, 1)}

    def _to_kspace(self, image: Tensor) -> Tensor:
        return image_to_kspace(image, norm=self.norm)

    def _to_image(self, kspace: Tensor) -> Tensor:
        return kspace_to_image(kspace, norm=self.norm)


def _apply(network: nn.Module, *inputs: Tensor) -> Tensor:
    """Apply a network of real and imaginary channels to complex tensors."""
    channels = network(torch.cat([part for x in inputs for part in (x.real, x.imag)], 1))
    return torch.complex(*channels.to(inputs[0].real.dtype).split(1, 1))  # there is no complex bfloat16

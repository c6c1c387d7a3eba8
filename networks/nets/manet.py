"""MANet: reconstruction from undersampled k-space, guided by another contrast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...operators.fourier import image_to_kspace, kspace_to_image
from ..blocks import KspaceDataConsistency
from .guided_dense_unet import GuidedDenseUNet

# before training, in units of normalized k-space, from its center to the edge: what weighs best with the predictions
# of a network that did not know the noise, in a slice of sub-07 and of sub-cstar (random 4x, radial 6x; noise 3, 10 %)
KSPACE_ERROR = (0.1, 0.005, 0.002)
IMAGE_ERROR = (0.3, 0.036, 0.0166)


class MANet(nn.Module):
    """Fill k-space, then refine the image, with a fully sampled guide in both domains.

    Feng et al., "Multi-modal Aggregation Network for Fast MR Imaging" (arXiv:2110.08080). It has 7,283,670 parameters,
    all used; the authors' code has another 295,424 that its forward pass does not use.

    It follows that code where the paper says nothing or another thing: the target's stream gets the guide at its input,
    and the image domain the guide that was predicted in k-space (Eq. 5 has the acquired one). It departs from the code
    by orthonormal transforms, with which both domains have the same scale.

    Args:
        width: number of features.
        domains: ``"both"``, or ``"image"`` or ``"kspace"`` alone, for ablation.
        auxiliary_image: which image of the guide the image domain gets, ``"predicted"`` or ``"acquired"``.
        attention: see :class:`GuidedDenseUNet`; ``"concatenation"`` for the ablation without T1-guided attention.
        attention_options: of :class:`mri_attention.networks.blocks.T1GuidedAttention`.
        concat_aux: whether the target's streams get the guide at their input too.
        is_residual: extension of the paper: each domain adds its result to what it gets, and starts by adding nothing.
        data_consistency: extension of the paper: the measured samples replace predicted ones after each domain. The
            image, a magnitude, takes its phase from the k-space that it came from, and is the part of that phase after.
        knows_noise: extension of the paper: measured and predicted samples are weighed by the noise, with errors of the
            prediction that each domain learns (see :class:`mri_attention.networks.blocks.KspaceDataConsistency`), and
            both domains are told of it. Without noise nothing changes.
        transform: ``"orthonormal"`` centered Fourier transforms; ``"released"`` for weights of the authors' code, whose
            inverse divides by the number of pixels and has the center of the image at its corner.

    Raises:
        ValueError: if an option is unknown.
    """

    def __init__(  # noqa: PLR0913 (the ablations of the paper, and four extensions)
        self,
        width: int = 64,
        domains: Literal["both", "image", "kspace"] = "both",
        auxiliary_image: Literal["predicted", "acquired"] = "predicted",
        attention: Literal["channel-spatial", "spatial-channel", "mixed", "concatenation"] = "channel-spatial",
        attention_options: Mapping[str, Any] | None = None,
        concat_aux: bool = True,
        is_residual: bool = False,
        data_consistency: bool = False,
        transform: Literal["orthonormal", "released"] = "orthonormal",
        knows_noise: bool = False,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("domains", domains, ("both", "image", "kspace")),
            ("auxiliary_image", auxiliary_image, ("predicted", "acquired")),
            ("transform", transform, ("orthonormal", "released")),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        options = (width, attention, attention_options, concat_aux, is_residual, knows_noise)
        self.kspace = None if domains == "image" else GuidedDenseUNet(2, *options)
        self.image = None if domains == "kspace" else GuidedDenseUNet(1, *options)
        errors = (KSPACE_ERROR, IMAGE_ERROR) if knows_noise else (None, None)
        self.consistency = KspaceDataConsistency(None, errors[0]) if data_consistency else None
        self.image_consistency = KspaceDataConsistency(None, errors[1]) if data_consistency else None
        self.auxiliary_image = auxiliary_image
        self.is_centered = transform == "orthonormal"

    def forward(
        self,
        kspace: Tensor,
        auxiliary: Tensor,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return :meth:`reconstruct`."""
        return self.reconstruct(kspace, auxiliary, mask, noise, measured)

    def reconstruct(
        self,
        kspace: Tensor,
        auxiliary: Tensor,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Reconstruct the target.

        Args:
            kspace: undersampled, complex, ``(b, 1, h, w)``; zero, or an estimate, where there is no sample.
            auxiliary: image of the guide, real or complex, of the same shape.
            mask: True where there are samples, broadcastable; for data consistency, where ``kspace`` is not zero if it
                is None.
            noise: standard deviation of the real and of the imaginary part of samples, ``(b, 1, 1, 1)``; None for none.
            measured: samples as measured, where ``kspace`` is an estimate there too; ``kspace`` if it is None.

        Returns:
            Magnitudes ``image`` and ``auxiliary_image``; if the k-space domain is used, also ``kspace`` and
            ``auxiliary_kspace``, complex. All are ``(b, 1, h, w)``.
        """
        outputs: dict[str, Tensor] = {}
        samples = kspace if measured is None else measured
        image, guide = self._to_image(kspace), auxiliary.abs()
        if self.kspace is not None:
            auxiliary_kspace = self._to_kspace(auxiliary)
            predicted = self.kspace(_channels(kspace), _channels(auxiliary_kspace), noise)
            filled, auxiliary_kspace = _complex(predicted[0], kspace), _complex(predicted[1], kspace)
            outputs = {"kspace": filled, "auxiliary_kspace": auxiliary_kspace}
            if self.consistency is not None:
                filled = self.consistency(filled, samples, mask, noise)
            image = self._to_image(filled)
            if self.auxiliary_image == "predicted" or self.image is None:
                guide = self._to_image(auxiliary_kspace).abs()
        magnitude = image.abs()
        if self.image is not None:
            refined_image, guide = self.image(magnitude, guide, noise)
            magnitude, guide = refined_image.to(magnitude.dtype), guide.to(magnitude.dtype)
            if self.image_consistency is not None:
                # phases have infinite gradients at zero, and polar() has wrong ones for numbers below it
                turn = torch.polar(torch.ones_like(magnitude), image.angle().detach())
                spectrum = self._to_kspace(magnitude * turn)
                refined = self._to_image(self.image_consistency(spectrum, samples, mask, noise))
                # what is out of phase is error
                in_phase = torch.real(refined) * torch.real(turn) + torch.imag(refined) * torch.imag(turn)
                magnitude = in_phase.clamp_min(0)
        results = {"image": magnitude, "auxiliary_image": guide}
        results.update(outputs)
        return results

    def _to_kspace(self, image: Tensor) -> Tensor:
        if not self.is_centered:
            return torch.fft.fft2(image)
        if torch.jit.is_scripting():
            return torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(image, [-2, -1]), norm="ortho"), [-2, -1])
        else:  # noqa: RET505 (TorchScript leaves this out)
            return image_to_kspace(image)

    def _to_image(self, kspace: Tensor) -> Tensor:
        if not self.is_centered:
            return torch.fft.ifft2(kspace)
        if torch.jit.is_scripting():
            return torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(kspace, [-2, -1]), norm="ortho"), [-2, -1])
        else:  # noqa: RET505
            return kspace_to_image(kspace)


def _complex(channels: Tensor, like: Tensor) -> Tensor:
    real, imaginary = channels.to(torch.real(like).dtype).split(1, 1)  # there is no complex bfloat16
    return torch.complex(real, imaginary)


def _channels(x: Tensor) -> Tensor:
    return torch.cat([torch.real(x), torch.imag(x)], 1)

"""Give losses of reconstructions the targets they compare with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.modules.loss import _Loss

from ..operators.fourier import image_to_kspace
from .dual_domain import DualDomainLoss


class GuidedReconstructionLoss(_Loss):
    """Compare a reconstruction with the true image and its k-space, and the guide's.

    Args:
        loss: of a prediction, by name, and what is true by the same names; :class:`DualDomainLoss` by default.
    """

    def __init__(self, loss: _Loss | None = None) -> None:
        super().__init__()
        self.loss = DualDomainLoss() if loss is None else loss

    def forward(self, prediction: Tensor | Mapping[str, Tensor], target: Tensor) -> Tensor:
        """Compare.

        Args:
            prediction: what a network gives, an image or a dictionary with ``image``, magnitude or complex, and others.
            target: complex, ``(b, 2, *, h, w)``: true image and guide, without noise, normalized as the network's
                input.

        Raises:
            ValueError: for a target without two channels.
        """
        if target.shape[1] != 2:
            raise ValueError(f"target must have two channels, image and guide, got shape {tuple(target.shape)}")
        predicted = {"image": prediction} if isinstance(prediction, Tensor) else prediction
        image, guide = (x.as_subclass(Tensor) for x in target.split(1, 1))
        true = {"image": image if predicted["image"].is_complex() else image.abs(), "auxiliary_image": guide.abs()}
        with torch.autocast(target.device.type, enabled=False):
            true |= {"kspace": image_to_kspace(image), "auxiliary_kspace": image_to_kspace(guide)}
            return self.loss(predicted, true)

"""The loss with which CFTN is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules.loss import _Loss


class RegularizedL1Loss(_Loss):
    """Mean absolute error plus a small multiple of the norm of all weights.

    Zhang et al., "3D Cross-Scale Feature Transformer Network for Brain MR Image Super-Resolution", ICASSP 2022::

        L = mean |prediction - target| + weight ||theta||_2         Eq. 3

    The norm is not squared, unlike an optimizer's weight decay.

    Args:
        network: whose trainable parameters theta are; the loss neither owns nor saves them.
        weight: of the norm.

    Raises:
        ValueError: if ``weight`` is negative.
    """

    def __init__(self, network: nn.Module, weight: float = 1e-6) -> None:
        super().__init__()
        if weight < 0:
            raise ValueError(f"weight must not be negative, got {weight}")
        self.parameters_of = network.parameters
        self.weight = weight

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare images of one shape."""
        norms = [torch.linalg.vector_norm(p) for p in self.parameters_of() if p.requires_grad]
        norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else 0.0
        return F.l1_loss(prediction, target) + self.weight * norm

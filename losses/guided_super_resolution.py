"""Loss of guided super-resolution."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules.loss import _Loss


class GuidedSuperResolutionLoss(_Loss):
    """``alpha L1(target) + (1 - alpha) L1(guide)``, the loss of SANet.

    Feng et al. 2024 (arXiv:2109.01664), Eq. 9, with the paper's best alpha of 0.7. The authors' code has the two
    weights the other way round, 0.3 on the target: ``is_swapped``.

    Args:
        alpha: weight of the target, between 0 and 1.
        is_swapped: alpha weights the guide, as in the authors' code.

    Raises:
        ValueError: if ``alpha`` is not between 0 and 1.
    """

    def __init__(self, alpha: float = 0.7, is_swapped: bool = False) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
        self.weight = 1 - alpha if is_swapped else alpha

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare images.

        Args:
            prediction: ``(b, 2, *spatial)``, the target and the guide; or ``(b, 1, *spatial)``, the target alone, whose
                L1 is the loss.
            target: ``(b, 2, *spatial)``, or the target alone if the prediction is.

        Raises:
            ValueError: if ``target`` lacks the guide that ``prediction`` has.
        """
        if target.shape[1] < prediction.shape[1]:
            raise ValueError(f"target must have {prediction.shape[1]} channels, got {target.shape[1]}")
        loss = F.l1_loss(prediction[:, :1], target[:, :1])
        if prediction.shape[1] == 1:
            return loss
        return self.weight * loss + (1 - self.weight) * F.l1_loss(prediction[:, 1:], target[:, 1:])

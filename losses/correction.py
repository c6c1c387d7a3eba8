"""The loss of networks that correct a map."""

from __future__ import annotations

from torch import Tensor
from torch.nn.modules.loss import _Loss

from .gradient import rise

LEAST = 1e-6  # of an error that others are divided by: a map without error has no part in the loss


class CorrectionLoss(_Loss):
    """Error of a corrected map, relative to that of the map which was corrected: 1 for no correction, 0 for the truth.

    It is the mean of two ratios, of the root mean squared errors over all voxels, and of the loss of
    QSMnet, ``L1 + 0.1 gradient`` (Yoon et al. 2018, NeuroImage 179:199, doi:10.1016/j.neuroimage.2018.06.030). Each is
    taken for every map of the batch, so that fields with much noise, where errors are large, do not count more than
    those with little.

    Args:
        gradient_weight: of the gradient term.

    Raises:
        ValueError: if the weight is negative; when called, for a target without the map that was corrected.
    """

    def __init__(self, gradient_weight: float = 0.1) -> None:
        super().__init__()
        if gradient_weight < 0:
            raise ValueError(f"weight must not be negative, got {gradient_weight=}")
        self.gradient_weight = gradient_weight

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare maps.

        Args:
            prediction: ``(b, 1, x, y, z)``.
            target: ``(b, 2, x, y, z)``, the true map and the map that was corrected.
        """
        if target.shape[1] != 2:
            raise ValueError(f"target must be the truth and the map that was corrected, got {list(target.shape)}")
        truth, start = target.split(1, 1)
        squared = _mean_square(prediction - truth).clamp_min(LEAST**2) / _mean_square(start - truth).clamp_min(LEAST**2)
        absolute = self._absolute(prediction, truth) / self._absolute(start, truth).clamp_min(LEAST)
        return (0.5 * (squared.sqrt() + absolute)).mean()

    def _absolute(self, image: Tensor, truth: Tensor) -> Tensor:
        steepness = _mean((rise(image) - rise(truth)).abs()) if self.gradient_weight else 0
        return _mean((image - truth).abs()) + self.gradient_weight * steepness


def _mean(image: Tensor) -> Tensor:
    return image.flatten(1).mean(1)


def _mean_square(image: Tensor) -> Tensor:
    return _mean(image.square())

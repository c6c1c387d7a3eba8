"""Losses of reconstructions in the image domain and in k-space."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules.loss import _Loss


class DualDomainLoss(_Loss):
    """Weighted L1 of target and guide in both domains, the loss of MANet.

    Feng et al., "Multi-modal Aggregation Network for Fast MR Imaging" (arXiv:2110.08080), Eq. 6, with the paper's
    weights of 0.4 and 0.6::

        alpha ((1 - beta) L(k guide) + beta L(k target)) + (1 - alpha) ((1 - beta) L(guide) + beta L(target))

    L is L1, as in the authors' code (the paper names no norm), in k-space over real and imaginary parts. That code has
    0.9 for beta and the sum of both domains, twice this loss at ``alpha=0.5``. With orthonormal transforms both domains
    have the same scale, so that the weights mean what they say. Where a network gives some of the four terms only, the
    weights of these are scaled to sum to one.

    Args:
        alpha: weight of k-space, between 0 and 1.
        beta: weight of the target, between 0 and 1.

    Raises:
        ValueError: if a weight is not between 0 and 1.
    """

    def __init__(self, alpha: float = 0.4, beta: float = 0.6) -> None:
        super().__init__()
        if not (0 <= alpha <= 1 and 0 <= beta <= 1):
            raise ValueError(f"weights must be between 0 and 1, got {alpha=}, {beta=}")
        self.weights = {
            "kspace": alpha * beta,
            "auxiliary_kspace": alpha * (1 - beta),
            "image": (1 - alpha) * beta,
            "auxiliary_image": (1 - alpha) * (1 - beta),
        }

    def forward(self, prediction: Tensor | Mapping[str, Tensor], target: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Compare reconstructions.

        Args:
            prediction: some of ``kspace``, ``auxiliary_kspace``, ``image`` and ``auxiliary_image``, ``(b, 1, h, w)``
                each; other keys do not count. A tensor is the image.
            target: at least the same of these keys, or a tensor likewise.

        Raises:
            ValueError: if ``prediction`` has none of these keys with a weight above zero, or ``target`` lacks one.
        """
        predicted, true = _by_name(prediction), _by_name(target)
        names = [name for name in self.weights if name in predicted and self.weights[name] > 0]
        if not names or any(name not in true for name in names):
            raise ValueError(f"nothing to compare, or not all of it: got {list(predicted)} and {list(true)}")
        total = sum(self.weights[name] * _l1(predicted[name], true[name]) for name in names)
        return torch.as_tensor(total / sum(self.weights[name] for name in names))


class RecurrentDualDomainLoss(_Loss):
    """Sum of L1 in image domain and k-space over all recurrences, the loss of DuDoRNet.

    Zhou and Zhou, CVPR 2020 (arXiv:2001.03799), as in the authors' code: images after data consistency, k-space before
    it, each with weight one, L1 over real and imaginary parts.
    """

    def forward(self, prediction: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Compare reconstructions.

        Args:
            prediction: ``images`` and ``kspaces``, complex, ``(b, n, h, w)`` for n recurrences.
            target: ``image`` and ``kspace``, complex, ``(b, 1, h, w)``.
        """
        n_recurrences = prediction["images"].shape[1]
        images = _l1(prediction["images"], target["image"].expand_as(prediction["images"]))
        kspaces = _l1(prediction["kspaces"], target["kspace"].expand_as(prediction["kspaces"]))
        return n_recurrences * (images + kspaces)


def _by_name(value: Tensor | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return {"image": value} if isinstance(value, Tensor) else value


def _l1(x: Tensor, y: Tensor) -> Tensor:
    if x.is_complex() or y.is_complex():
        x, y = (torch.view_as_real(value + 0j) for value in (x, y))
    return F.l1_loss(x, y)

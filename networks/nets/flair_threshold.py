"""Classical baseline: lesions are where the smoothed FLAIR is bright."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from monai.networks.layers import gaussian_1d, separable_filtering
from torch import Tensor, nn

THRESHOLDS = tuple(0.5 + 0.1 * step for step in range(46))
SMOOTHINGS = (0.0, 0.5, 0.75, 1.0, 1.5)


class FLAIRThreshold(nn.Module):
    """Call a voxel lesion where the Gaussian-smoothed z-score of the FLAIR exceeds a threshold.

    It takes a network's place in an evaluator. Threshold and smoothing are buffers, so that they are
    saved and loaded as a network's weights are. It is computed in float32 under mixed precision too: a
    kernel of few weights, rounded to bfloat16, changes the scale of the image.

    Args:
        threshold: z-score above which a voxel is lesion.
        channel: index of the FLAIR among the input images.
        smoothing: standard deviation of the Gaussian, in voxels; 0 for none.

    Raises:
        ValueError: if ``smoothing`` is negative.
    """

    threshold: Tensor
    smoothing: Tensor

    def __init__(self, threshold: float = 2.0, channel: int = 2, smoothing: float = 0.5) -> None:
        super().__init__()
        if smoothing < 0:
            raise ValueError(f"smoothing must not be negative, got {smoothing}")
        self.register_buffer("threshold", torch.tensor(float(threshold)))
        self.register_buffer("smoothing", torch.tensor(float(smoothing)))
        self.channel = channel

    def forward(self, x: Tensor) -> Tensor:
        """Map z-scored images ``(b, c, x, y, z)`` to logits ``(b, 2, x, y, z)`` of background and lesion."""
        with torch.autocast(x.device.type, enabled=False):
            excess = _smooth(x[:, self.channel, None], self.smoothing) - self.threshold
        return torch.cat([torch.zeros_like(excess), excess], 1)


def fit_threshold(
    images_and_labels: Iterable[tuple[Tensor, Tensor]],
    channel: int = 2,
    thresholds: Sequence[float] = THRESHOLDS,
    smoothings: Sequence[float] = SMOOTHINGS,
) -> FLAIRThreshold:
    """Choose threshold and smoothing by grid search for the best mean Dice.

    Args:
        images_and_labels: pairs of z-scored images ``(c, x, y, z)`` and lesion mask ``(1, x, y, z)``. Cases
            without lesions do not count, as their Dice is zero or undefined whatever the threshold.
        channel: index of the FLAIR among the images.
        thresholds: candidates for the z-score, in ascending order.
        smoothings: candidates for the standard deviation of the Gaussian, in voxels.

    Raises:
        ValueError: if no case has a lesion.
    """
    cuts, sigmas = torch.tensor(thresholds), torch.tensor(smoothings)
    dice = [
        torch.stack([_dice(_smooth(image[None, channel, None], sigma), label, cuts) for sigma in sigmas])
        for image, label in images_and_labels
        if label.any()
    ]
    if not dice:
        raise ValueError("fitting a threshold needs at least one case with lesions, got none")
    best = int(torch.stack(dice).mean(0).argmax())
    smoothing, threshold = divmod(best, len(thresholds))
    return FLAIRThreshold(thresholds[threshold], channel, smoothings[smoothing])


def _smooth(flair: Tensor, sigma: Tensor) -> Tensor:
    """Blur ``(b, 1, x, y, z)`` by a Gaussian."""
    if sigma == 0:
        return flair
    return separable_filtering(flair, [gaussian_1d(sigma, approx="sampled", normalize=True)] * 3, mode="replicate")


def _dice(scores: Tensor, label: Tensor, thresholds: Tensor) -> Tensor:
    """Return the Dice of ``scores > threshold`` for every threshold, in one pass over the voxels."""
    bins = torch.bucketize(scores.flatten(), thresholds)  # how many thresholds a voxel exceeds
    lesion_bins = bins[label.flatten() > 0]
    n_positive, n_true_positive = (
        voxels.bincount(minlength=len(thresholds) + 1).flip(0).cumsum(0).flip(0)[1:] for voxels in (bins, lesion_bins)
    )
    return 2 * n_true_positive / (n_positive + lesion_bins.numel())

"""Kinds of super-resolution, as :class:`.SelfTestedInferer` tests them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...operators.kspace_truncation import coarse_size, low_resolution_of, truncate_kspace
from ...operators.zero_filled_resolution import agree_with_low_resolution, lower_resolution
from .self_test import Trial

PLANES = 8  # of a volume, that are tried
SMALLEST = 16  # voxels along an axis of the image at hand, below which nothing is tried


class TruncatedPlanes:
    """Planes whose k-space was truncated, zero-filled to the fine grid, and a guide on that grid.

    Args:
        factor: of truncation.
        is_joint: the guide was truncated too, and is super-resolved.
        data_consistency: results are made to agree with their input, see :func:`agree_with_low_resolution`.
        n_planes: of a volume that are tried, evenly spaced.
    """

    name = "zero-filling"
    guided = "; the guide may be of another head or not aligned, or this image unlike those of the training"
    joint = "; give weights that were trained with `joint: true`, or contrasts of one head that are aligned"

    def __init__(
        self, factor: int, is_joint: bool = False, data_consistency: bool = True, n_planes: int = PLANES
    ) -> None:
        self.factor = factor
        self.is_joint = is_joint
        self.remedy = self.joint if is_joint else self.guided
        self.data_consistency = data_consistency
        self.n_planes = n_planes

    def interpolate(self, inputs: Tensor) -> Tensor:
        """Return the zero-filled image, the first channel of ``(b, 2, h, w[, slices])``, or both of them."""
        return inputs[:, : 1 + self.is_joint]

    def trial(self, inputs: Tensor) -> Trial | None:
        """Truncate the k-space of some planes, and of the guide's, once more."""
        planes = _first(inputs)
        if planes.ndim == 5:
            n_planes = planes.shape[2]
            n = min(self.n_planes, n_planes)
            planes = planes[:, :, [int((i + 0.5) * n_planes / n) for i in range(n)]]
        size = coarse_size(planes.shape[-2:], (self.factor, self.factor))
        if min(size) < SMALLEST:
            return None
        truth = low_resolution_of(planes[:, : 1 + self.is_joint], size).abs()
        lowered = lower_resolution(truth, self.factor)
        if self.is_joint:
            return Trial(_last(lowered), _last(truth))
        guide = truncate_kspace(planes[:, 1:], size).abs()
        away = guide.roll([n // 2 for n in size], (-2, -1))
        inputs, misguided = (_last(torch.cat([lowered, image], 1)) for image in (guide, away))
        return Trial(inputs, _last(truth), misguided)

    def finish(self, result: Tensor, inputs: Tensor) -> Tensor:
        """Make the result agree with its input, where it is made to."""
        if not self.data_consistency:
            return result
        given = inputs[:, : result.shape[1]]
        return _last(agree_with_low_resolution(_first(result).double(), _first(given).double(), self.factor))


class BlurredVolumes:
    """Volumes that were blurred and sampled, on their coarse grid.

    Networks that undo a blur overshoot in images that were never blurred so. These are known by their
    :func:`sharpness`, and tried without blur.

    Args:
        lower: maps ``(c, x, y, z)`` to the lower resolution.
        interpolation: maps ``(b, c, x, y, z)`` to the fine grid.
        size: of the central part of a volume that is tried, in voxels.
        sharpest: sharpness up to which a volume is taken for one that was blurred; None for any.
        lower_sharp: ``lower`` without blur, for others.
    """

    name = "interpolation"
    remedy = ""

    def __init__(
        self,
        lower: Callable[[Tensor], Tensor],
        interpolation: Callable[[Tensor], Tensor],
        size: int = 64,
        sharpest: float | None = None,
        lower_sharp: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.lower = lower
        self.interpolation = interpolation
        self.size = size
        self.sharpest = sharpest
        self.lower_sharp = lower_sharp or lower

    def interpolate(self, inputs: Tensor) -> Tensor:
        """Return the interpolated image."""
        return self.interpolation(inputs)

    def trial(self, inputs: Tensor) -> Trial | None:
        """Blur and sample the middle of the volume once more."""
        if min(inputs.shape[2:]) < SMALLEST:
            return None
        truth = inputs
        for axis, n in enumerate(inputs.shape[2:], 2):
            truth = truth.narrow(axis, max(0, (n - self.size) // 2), min(n, self.size))
        is_sharp = self.sharpest is not None and sharpness(truth) > self.sharpest
        low = torch.stack([(self.lower_sharp if is_sharp else self.lower)(image) for image in truth])
        for axis, n in enumerate(self.interpolation(low).shape[2:], 2):
            truth = truth.narrow(axis, 0, n)
        return Trial(low, truth)

    def finish(self, result: Tensor, inputs: Tensor) -> Tensor:
        """Leave the result as it is."""
        return result


def sharpness(image: Tensor) -> float:
    """Return the power of the highest quarter of frequencies by that of the second quarter, the mean of the axes.

    Args:
        image: ``(b, c, x, y, z)``; its edges are faded out by a Hann window.
    """
    values = image.double() - image.double().mean()
    for axis, n in enumerate(image.shape[2:], 2):
        window = torch.hann_window(n + 2, periodic=False, dtype=torch.float64, device=image.device)[1:-1]
        values = values * window.view(-1, *[1] * (image.ndim - 1 - axis))
    ratios = []
    for axis, n in enumerate(image.shape[2:], 2):
        power = torch.fft.fft(values, dim=axis).abs().square().movedim(axis, 0).flatten(1).sum(1)
        frequency = torch.fft.fftfreq(n, device=image.device).abs() * 2
        high, low = power[frequency > 0.75].mean(), power[(frequency > 0.25) & (frequency <= 0.5)].mean()
        ratios.append(float(high / low) if low > 0 else 0.0)
    return sum(ratios) / len(ratios)


def _first(x: Tensor) -> Tensor:
    """Move slices, if there are, before the axes of planes."""
    return x.movedim(-1, 2) if x.ndim == 5 else x


def _last(x: Tensor) -> Tensor:
    return x.movedim(2, -1) if x.ndim == 5 else x

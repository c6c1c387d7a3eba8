"""Networks that are tried on what can be known before their result is believed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

from .file_names import file_names

logger = logging.getLogger(__name__)

LEAST = 0.7  # of the network's detail; if less proves right, none is kept, as another scale is another scale
TRACE = 1e-5  # of the brightest voxel, by which results with another guide differ where a network makes use of it
USELESS = 0.95  # of the error with a guide that is moved away: a guide whose error is above is not of this head
LITTLE = 0.9  # a result that keeps less is told


class Trial(NamedTuple):
    """An input whose truth is known.

    Attributes:
        inputs: ``(b, c, *spatial)``.
        truth: ``(b, n, *fine)``.
        misguided: the inputs, with a guide that is moved away; None where there is no guide.
    """

    inputs: Tensor
    truth: Tensor
    misguided: Tensor | None = None


class Magnification(Protocol):
    """A kind of super-resolution that :class:`SelfTestedInferer` can test."""

    name: str
    """Of the interpolation that a network must not be worse than."""

    remedy: str
    """What to look at where a network fails; may be empty."""

    def interpolate(self, inputs: Tensor) -> Tensor:
        """Return what needs no network, ``(b, n, *fine)``: the first n channels of a result are compared with it."""

    def trial(self, inputs: Tensor) -> Trial | None:
        """Lower the resolution of the inputs once more, so that they are the truth; None if they are too small."""

    def finish(self, result: Tensor, inputs: Tensor) -> Tensor:
        """Do to a result what is done after inference."""


class SelfTestedInferer(Inferer):
    """Run another inferer, and keep of its detail as much as proves right one scale below.

    The image at hand is the truth of a super-resolution from an image that is coarser by the same factor, so how good
    a network is at such an image can be measured where no reference is at hand, as is done to train networks on the
    image alone (Shocher et al., CVPR 2018, arXiv:1712.06087). With the interpolation b of the coarser image, what the
    network makes of it, y, and the image t itself, the share of detail with the smallest error is::

        w = <y - b, t - b> / <y - b, y - b>       no less than 0, no more than 1

    and 0 below 0.7 (below 0.5 y is farther from t than b is, and the scale that counts is another). The result is the
    interpolation plus w times what the network adds to it. Less than 0.9 is told in the log, 0 as what it is: the
    interpolation; and so is an image that is too small to be tried, of which all is kept.

    Where several contrasts are super-resolved, each has a share of its own.

    Where a guide is used, the network is tried once more with the guide moved away by half of the field of view. With
    a guide of the same head the error is smaller than with that one; where it is above 0.95 of it, w is 0.

    Args:
        inferer: does the work.
        magnification: what is interpolated, and how resolution is lowered.
        enabled: leave the inferer as it is otherwise.
    """

    def __init__(self, inferer: Inferer, magnification: Magnification, enabled: bool = True) -> None:
        super().__init__()
        self.inferer = inferer
        self.magnification = magnification
        self.enabled = enabled

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Map ``inputs`` ``(b, c, *spatial)`` to ``(b, c', *fine)``.

        Raises:
            ValueError: if the result is not finite.
        """
        result: Tensor = self.inferer(inputs, network, *args, **kwargs)
        if not _plain(result).isfinite().all():
            remedy = "give weights of a training that did not diverge, and an image of usual intensities"
            place = " and ".join(file_names(inputs, "image"))
            raise ValueError(f"{place}: what the network made of it holds NaN or Inf; {remedy}")
        if not self.enabled:
            return result
        plain = _plain(inputs)
        shares = [self._share(sample[None], network, *args, **kwargs) for sample in plain]
        baseline = self.magnification.interpolate(plain).to(_plain(result))
        n = baseline.shape[1]
        for share, place in zip(shares, file_names(inputs, "image"), strict=True):
            self._tell(share, place)
        weight = baseline.new_tensor([share or [1.0] * n for share in shares])
        weight = weight.view(-1, n, *[1] * (baseline.ndim - 2))
        kept = _plain(result).clone()
        kept[:, :n] = torch.lerp(baseline, kept[:, :n], weight)
        return MetaTensor(kept, meta=result.meta) if isinstance(result, MetaTensor) else kept

    def _share(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> list[float] | None:
        trial = self.magnification.trial(inputs)
        if trial is None:
            return None
        n = trial.truth.shape[1]

        def finished(image: Tensor) -> Tensor:
            return self.magnification.finish(_plain(image)[:, :n].float(), trial.inputs)

        found = finished(self.inferer(trial.inputs, network, *args, **kwargs))
        base, truth = finished(self.magnification.interpolate(trial.inputs)), finished(trial.truth)
        if trial.misguided is not None:
            other = finished(self.inferer(trial.misguided, network, *args, **kwargs))
            errors = [float((image - truth).square().sum()) for image in (found, other)]
            is_guided = float((found - other).abs().max()) > TRACE * float(truth.abs().max())
            if is_guided and errors[0] > USELESS * errors[1]:
                return [0.0] * n
        return [share_of_detail(found[:, i] - base[:, i], truth[:, i] - base[:, i]) for i in range(n)]

    def _tell(self, shares: list[float] | None, place: str) -> None:
        if shares is None:
            logger.warning(
                "%s: too small to try the network on it at lower resolution, so that nobody knows if it fails", place
            )
        for number, share in enumerate(shares or (), 1):
            of = f"{place}, contrast {number}" if shares and len(shares) > 1 else place
            if share == 0:
                message = (
                    "%s: tried on this image at lower resolution, the network fails, so that the result is that of %s%s"
                )
                logger.warning(message, of, self.magnification.name, self.magnification.remedy)
            elif share < LITTLE:
                message = "%s: unlike what the network was trained on; of what it adds to %s, %.0f %% are kept"
                logger.warning(message, of, self.magnification.name, 100 * share)


def share_of_detail(found: Tensor, true: Tensor) -> float:
    """Return the factor from 0 to 1 of ``found`` that is nearest to ``true``; 0 if it is below 0.7."""
    found, true = found.double(), true.double()
    power = float((found * found).sum())
    if power == 0:
        return 1.0
    share = float((found * true).sum()) / power
    return 0.0 if share < LEAST else min(share, 1.0)


def _plain(x: Tensor) -> Tensor:
    return x.as_tensor() if isinstance(x, MetaTensor) else x

"""Reconstructions that are tried on samples which they were not given."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

from ...operators import CompressedSensingSolver, image_to_kspace, kspace_to_image
from .file_names import file_names
from .slices import KspaceInputs, Output, SliceBatchInferer, image_of, separate_inputs

logger = logging.getLogger(__name__)

SHARE = 0.2  # of the samples beyond the center, that are left out
CENTER = 0.1  # of the way to the edge of k-space, up to which all are given
BLOCK = 8  # samples along the sides of the squares in which they are left out, where no whole lines are sampled
SLICES = 4  # of a volume, that are tried
HARDLY = 0.85  # of the error of the start; a network that leaves more is told
ENOUGH = 0.2  # of the power that is left out; of a start with less error, a network need not be of use
FEWEST = 16  # samples to be left out, below which nothing is tried


class HeldOutTrial(NamedTuple):
    """How near predictions come to samples that were left out: squared errors, relative to the power of these samples.

    Attributes:
        network: error of the network's image.
        start: error of what it was given to start from.
    """

    network: float
    start: float

    @property
    def fails(self) -> bool:
        """Whether the start is nearer."""
        return self.network > self.start

    @property
    def hardly_helps(self) -> bool:
        """Whether the network is hardly nearer, where it could be."""
        return not self.fails and self.network > HARDLY * self.start and self.start > ENOUGH


class HeldOutSamplesInferer(Inferer):
    """Reconstruct slices, and give back the start where the network predicts samples worse than the start does.

    A fifth of the samples beyond the center of k-space is left out, and what the network makes of the others is
    compared with them, as in training without references (Yaman et al. 2020, doi:10.1002/mrm.28378). Where the start,
    compressed sensing or zeros, is nearer to them than the network, the image of the start is the result, and the log
    tells so: a guide that is another person's, moved, or empty harms. Whole columns or rows are left out where these
    were sampled, else squares. The phase that magnitudes lack is that of the start.

    Args:
        inferer: does the work.
        start: how k-space is filled before the network; None for zeros.
        enabled: leave the inferer as it is otherwise.
        n_slices: of a volume that are tried, evenly spaced.
    """

    def __init__(
        self,
        inferer: SliceBatchInferer,
        start: CompressedSensingSolver | None = None,
        enabled: bool = True,
        n_slices: int = SLICES,
    ) -> None:
        super().__init__()
        self.inferer = inferer
        self.start = start
        self.enabled = enabled
        self.n_slices = n_slices

    def __call__(
        self,
        inputs: Tensor,
        network: Callable[..., Any],
        auxiliary: Tensor | None = None,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> Output:
        """Map masked k-space to images, see :class:`SliceBatchInferer`."""
        result = self.inferer(inputs, network, auxiliary, mask, noise, measured)
        if not (self.enabled and isinstance(result, Tensor)):
            return result
        given = separate_inputs(inputs, auxiliary, mask, noise, measured)
        kept = result.clone()
        for i, place in enumerate(file_names(inputs, "k-space")):
            trial = self.trial(network, given.item(i))
            if trial is not None and trial.fails:
                kept[i] = kspace_to_image(given.kspace[i]).abs()
            self._tell(trial, place)
        return MetaTensor(kept, meta=result.meta) if isinstance(result, MetaTensor) else kept

    def _tell(self, trial: HeldOutTrial | None, place: str) -> None:
        if trial is None:
            message = "%s: too few samples to leave some out, so that nobody knows if the network helps"
            logger.warning(message, place)
        elif trial.fails:
            message = (
                "%s: tried on samples that were left out, the network fails (error %.2f, without it %.2f), so that the "
                "result is without it; does the guide belong to this head?"
            )
            logger.warning(message, place, trial.network, trial.start)
        elif trial.hardly_helps:
            message = (
                "%s: tried on samples that were left out, the network is hardly of use (error %.2f, without it %.2f); "
                "does the guide belong to this head?"
            )
            logger.warning(message, place, trial.network, trial.start)

    def trial(self, network: Callable[..., Any], inputs: KspaceInputs) -> HeldOutTrial | None:
        """Leave out samples of one volume; None if there are too few."""
        samples = inputs.kspace if inputs.measured is None else inputs.measured
        stacks = [_stack(x) for x in (inputs.guide, inputs.mask, samples)]
        chosen = _spread(torch.nonzero(stacks[2].flatten(1).any(1)).flatten(), self.n_slices)
        guide, mask, samples = (x[chosen] for x in stacks)
        noise = None if inputs.noise is None else _stack(inputs.noise)[chosen]
        mask = mask & (samples != 0)  # what was padded is no sample
        left_out = leave_out(mask)
        if len(chosen) == 0 or int(left_out.sum()) < FEWEST * len(chosen):
            return None
        given, rest = samples * ~left_out, mask & ~left_out
        filled = given if self.start is None else self.start(given, rest, noise)
        measured = None if inputs.measured is None else given
        image = image_of(self.inferer(filled, network, guide, rest, noise, measured))
        begin = kspace_to_image(filled)
        truth, phase = samples[left_out], begin.angle()
        predictions = (image_to_kspace(torch.polar(x.to(phase), phase))[left_out] for x in (image, begin.abs()))
        power = float(truth.abs().square().sum())
        return HeldOutTrial(*(float((found - truth).abs().square().sum()) / power for found in predictions))


def leave_out(mask: Tensor) -> Tensor:
    """Choose a fifth of the samples beyond the center, the same in all runs.

    Args:
        mask: True is sampled, ``(*, h, w)``.

    Returns:
        True is left out.
    """
    h, w = mask.shape[-2:]
    y, x = (((torch.arange(n, device=mask.device) - n // 2).abs() / (n / 2)) for n in (h, w))
    row, column = mask[..., h // 2, :], mask[..., w // 2]
    if not _repeats(mask) and not _repeats(mask.mT):
        blocks = _random((-(-h // BLOCK), -(-w // BLOCK)))
        squares = blocks.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[:h, :w].to(mask.device)
        chosen = squares & (y[:, None].hypot(x) > CENTER)
    elif row.float().mean() <= column.float().mean():
        chosen = _random((1, w)).expand(h, w).to(mask.device) & (x > CENTER)
    else:
        chosen = _random((h, 1)).expand(h, w).to(mask.device) & (y > CENTER)[:, None]
    return mask & chosen


def _repeats(mask: Tensor) -> bool:
    """Tell whether all rows have the samples of the middle one, or none."""
    middle = mask.shape[-2] // 2
    return bool(((mask == mask[..., middle : middle + 1, :]) | ~mask.any(-1, keepdim=True)).all())


def _random(shape: tuple[int, int]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) < SHARE


def _stack(x: Tensor) -> Tensor:
    """Return the slices of ``(1, 1, [slice,] h, w)`` as ``(slice, 1, h, w)``."""
    return x.as_subclass(Tensor).reshape(-1, 1, *x.shape[-2:])


def _spread(places: Tensor, n: int) -> Tensor:
    """Take n of some places, evenly spaced, or all if they are fewer."""
    n = min(n, len(places))
    return places[[int((i + 0.5) * len(places) / n) for i in range(n)]]

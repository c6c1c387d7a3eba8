"""Inference over stacks of slices with a network for slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

Output = Tensor | dict[str, Tensor]


class SliceBatchInferer(Inferer):
    """Reconstruct slices of any matrix from k-space, guide and mask, some at a time.

    MONAI's ``SliceInferer`` takes one input; these networks take three to five. Axes between the channel and the last
    two are those of slices, none or one. Networks run under autocast to bfloat16 where ``half_precision`` says so; what
    they give is float32 again.

    Args:
        batch_size: number of slices at a time; all of them where it is None, as training needs it for batch
            normalization and gradients.
        image_only: give the magnitude image, and not what else the network returns for its loss.
        half_precision: whether to use bfloat16.
    """

    def __init__(self, batch_size: int | None = 4, image_only: bool = True, half_precision: bool = False) -> None:
        super().__init__()
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.batch_size = batch_size
        self.image_only = image_only
        self.half_precision = half_precision

    def __call__(
        self,
        inputs: Tensor,
        network: Callable[..., Any],
        auxiliary: Tensor | None = None,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> Output:
        """Map masked k-space, complex, ``(b, 1, [slice,] h, w)``, to images of this shape.

        Args:
            inputs: k-space; an image alone gets the metadata of a MetaTensor. Where there is no ``auxiliary``, further
                channels are the other arguments, as many as there are: a MONAI Label server passes one tensor.
            network: called with k-space, guide, mask, and what is given of noise and samples, ``(n, 1, h, w)`` each
                and ``(n, 1, 1, 1)`` for the noise; gives the image, or a dictionary that has it under ``image``.
            auxiliary: guide, of the shape of k-space.
            mask: True is sampled, broadcastable.
            noise: standard deviation of the real and of the imaginary part of samples, for each slice.
            measured: samples as measured, where ``inputs`` are an estimate there too.
        """
        kspace, guide, sampled, noise, measured = separate_inputs(inputs, auxiliary, mask, noise, measured)
        slices = [_to_slices(x) for x in (kspace, guide, sampled)]
        if noise is not None or measured is not None:
            level = kspace.real.new_zeros(*kspace.shape[:-2], 1, 1) if noise is None else noise
            slices.append(_to_slices(level))
            slices.append(slices[0] if measured is None else _to_slices(measured))
        n = self.batch_size or len(slices[0])
        outputs = [self._run(network, *batch) for batch in zip(*(x.split(n) for x in slices), strict=True)]
        names = list(outputs[0])
        stacked = {name: _from_slices(torch.cat([output[name] for output in outputs]), kspace) for name in names}
        if names != ["image"]:
            return stacked
        image = stacked["image"]
        return MetaTensor(image, meta=inputs.meta) if isinstance(inputs, MetaTensor) else image

    def _run(self, network: Callable[..., Any], *inputs: Tensor) -> dict[str, Tensor]:
        with torch.autocast(inputs[0].device.type, torch.bfloat16, enabled=self.half_precision):
            output = network(*inputs)
        named = dict(output) if isinstance(output, Mapping) else {"image": output}
        if self.image_only:  # of no samples, no image
            named = {"image": named["image"].abs() * inputs[0].abs().amax((-1, -2), keepdim=True).bool()}
        return {name: value if value.is_complex() else value.float() for name, value in named.items()}


class KspaceInputs(NamedTuple):
    """What networks of reconstruction get, as plain tensors.

    Attributes:
        kspace: ``(b, 1, [slice,] h, w)``.
        guide: of the same shape.
        mask: booleans of the same shape.
        noise: ``(b, 1, [slice,] 1, 1)``; None where there is none.
        measured: of the shape of k-space; None where k-space is what was measured.
    """

    kspace: Tensor
    guide: Tensor
    mask: Tensor
    noise: Tensor | None
    measured: Tensor | None

    def item(self, i: int) -> KspaceInputs:
        """Return the item of a batch, as a batch of one."""
        kspace, guide, mask = (x[i : i + 1] for x in self[:3])
        noise, measured = (None if x is None else x[i : i + 1] for x in self[3:])
        return KspaceInputs(kspace, guide, mask, noise, measured)


def separate_inputs(
    inputs: Tensor,
    auxiliary: Tensor | None = None,
    mask: Tensor | None = None,
    noise: Tensor | None = None,
    measured: Tensor | None = None,
) -> KspaceInputs:
    """Return k-space, guide, mask, noise and samples, from the channels of one tensor if need be.

    The arguments are those of :meth:`SliceBatchInferer.__call__`.
    """
    if auxiliary is None:
        inputs, auxiliary, *others = inputs.split(1, 1)
        auxiliary, mask = auxiliary.real, others[0].real if others else mask
        noise = others[1].real[..., :1, :1] if len(others) > 1 else noise
        measured = others[2] if len(others) > 2 else measured
    kspace, guide = (x.as_subclass(Tensor) for x in (inputs, auxiliary))
    sampled = kspace != 0 if mask is None else mask.as_subclass(Tensor).bool().expand_as(kspace)
    level = None if noise is None else noise.as_subclass(Tensor).float().expand(*kspace.shape[:-2], 1, 1)
    samples = None if measured is None else measured.as_subclass(Tensor)
    return KspaceInputs(kspace, guide.float(), sampled, level, samples)


def image_of(output: Tensor | Mapping[str, Tensor]) -> Tensor:
    """Return the magnitude image of what a network gives."""
    image = output["image"] if isinstance(output, Mapping) else output
    return image.abs()


def _to_slices(x: Tensor) -> Tensor:
    """Move slices ``(b, 1, [slice,] h, w)`` to the batch."""
    return x.reshape(-1, 1, *x.shape[-2:])


def _from_slices(x: Tensor, like: Tensor) -> Tensor:
    """Undo :func:`_to_slices`; channels that a network adds stay channels."""
    b, _, *spatial = like.shape
    stacked = x.reshape(b, -1, x.shape[1], *x.shape[-2:]).transpose(1, 2)
    return stacked.reshape(b, x.shape[1], *spatial)

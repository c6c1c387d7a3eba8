"""Undersampling of k-space by masks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .fourier import AXES, image_to_kspace, kspace_to_image
from .linear_operator import LinearOperator, Map

CHUNK_BYTES = 2**21  # of the images that are transformed at a time


class Undersampling(LinearOperator):
    """``M F x``, the samples of an image's k-space that a mask has.

    Args:
        mask: M of centered k-space, broadcastable, with as many axes as the image; True is sampled.
        axes: of k-space.
    """

    def __init__(self, mask: Tensor, axes: Sequence[int] = AXES) -> None:
        self.mask, self.axes = mask, tuple(axes)

    def __call__(self, image: Tensor, /) -> Tensor:
        """Return masked k-space."""
        return self.mask * image_to_kspace(image, self.axes)

    def adjoint(self, kspace: Tensor, /) -> Tensor:
        """Return the zero-filled image of the samples."""
        return kspace_to_image(self.mask * kspace, self.axes)

    @property
    def gram(self) -> LinearOperator:
        """The short way of :func:`undersample_image`."""
        return Map(self._undersample, self._undersample)

    def _undersample(self, image: Tensor) -> Tensor:
        return undersample_image(image, self.mask, self.axes)


def shift_mask(mask: Tensor, axes: Sequence[int] = AXES) -> Tensor:
    """Return the mask as weights 0 and 1, float32, with the center of k-space in the corner."""
    return torch.fft.ifftshift(mask, [axis for axis in axes if mask.shape[axis] > 1]).float()


def undersample_image(image: Tensor, mask: Tensor, axes: Sequence[int] = AXES, *, is_shifted: bool = False) -> Tensor:
    """Return the zero-filled image ``F^H M F x`` of masked k-space, for centered F.

    Shifts of the image only turn phases of k-space, which commutes with masking, and cancel; so the mask is shifted
    once, and the image never. Along an axis on which the mask is constant, the two transforms cancel too.

    Args:
        image: real or complex, of any shape.
        mask: of centered k-space, broadcastable, with as many axes as the image; True is sampled.
        axes: of k-space.
        is_shifted: the mask comes from :func:`shift_mask`, which saves time where it serves many images.

    Raises:
        ValueError: for a mask with another number of axes.
    """
    if mask.ndim != image.ndim:
        raise ValueError(f"mask must have as many axes as the image, got {tuple(mask.shape)} for {tuple(image.shape)}")
    varying = [axis for axis in axes if mask.shape[axis] > 1]
    if not varying:
        return image * mask
    weights = mask if is_shifted else shift_mask(mask, axes)
    if 0 in (axis % image.ndim for axis in axes) or image.requires_grad:
        return _undersample(image, weights, varying)
    # Memory is what takes time: some images at a time stay in the cache.
    n_at_once = max(1, CHUNK_BYTES // max(1, image[:1].numel() * image.element_size()))
    chunks = image.split(n_at_once)
    several = weights.split(n_at_once) if weights.shape[0] > 1 else [weights] * len(chunks)
    dtype = image.dtype if image.is_complex() else torch.promote_types(image.dtype, torch.float32).to_complex()
    out = torch.empty_like(image, dtype=dtype)
    for chunk, weight, part in zip(chunks, several, out.split(n_at_once), strict=True):
        part.copy_(_undersample(chunk, weight, varying))
    return out


def _undersample(image: Tensor, weights: Tensor, axes: Sequence[int]) -> Tensor:
    kspace = torch.fft.fftn(image, dim=axes)
    kspace *= weights
    return torch.fft.ifftn(kspace, dim=axes)

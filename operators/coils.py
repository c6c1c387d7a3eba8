"""Images of several receive coils, and one image from them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .fourier import AXES, kspace_to_image
from .linear_operator import LinearOperator


class Coils(LinearOperator):
    """``S_j x``, what each coil sees of an image; the adjoint is ``sum_j conj(S_j) y_j``.

    Args:
        coil_maps: S, complex, with as many axes as the images.
        coil_axis: has one element in the image.
    """

    def __init__(self, coil_maps: Tensor, coil_axis: int = 0) -> None:
        self.coil_maps, self.coil_axis = coil_maps, coil_axis

    def __call__(self, image: Tensor, /) -> Tensor:
        """Return the coil images."""
        return self.coil_maps * image

    def adjoint(self, images: Tensor, /) -> Tensor:
        """Return their sum, weighted by the sensitivities."""
        return (self.coil_maps.conj() * images).sum(self.coil_axis, keepdim=True)


def combine_coils(images: Tensor, coil_maps: Tensor | None = None, coil_axis: int = 0) -> Tensor:
    """Combine coil images, by their root sum of squares or weighted by sensitivities.

    Without maps the magnitude ``sqrt(sum_j |x_j|^2)``; with maps S the complex ``sum_j S_j^* x_j / sum_j |S_j|^2``,
    which recovers the image where the maps are right and is zero where all are zero. Roemer et al. 1990,
    doi:10.1002/mrm.1910160203, for noise that is white and alike in all coils.

    Args:
        images: complex.
        coil_maps: of the same or a broadcastable shape.
        coil_axis: is kept, with one element; the first for ``(c, *spatial)``.

    Raises:
        ValueError: if the maps are of another number of coils.
    """
    if coil_maps is None:
        return torch.linalg.vector_norm(images, dim=coil_axis, keepdim=True)
    if coil_maps.ndim != images.ndim or coil_maps.shape[coil_axis] != images.shape[coil_axis]:
        shapes = f"{tuple(coil_maps.shape)} and {tuple(images.shape)}"
        raise ValueError(f"coil_maps must be of as many coils as images, got shapes {shapes}")
    weights = coil_maps.abs().square().sum(coil_axis, keepdim=True)
    combined = Coils(coil_maps, coil_axis).adjoint(images)
    return torch.where(weights > 0, combined / weights.clamp_min(torch.finfo(weights.dtype).tiny), 0)


def zero_filled_image(
    kspace: Tensor, coil_maps: Tensor | None = None, axes: Sequence[int] = AXES, coil_axis: int = 0
) -> Tensor:
    """Reconstruct the magnitude image of masked k-space, its coils combined by :func:`combine_coils`.

    Args:
        kspace: complex, centered and orthonormal.
        coil_maps: of the coils.
        axes: of k-space.
        coil_axis: is kept, with one element.

    Returns:
        ``|x|``, real, of one channel.
    """
    return combine_coils(kspace_to_image(kspace, axes), coil_maps, coil_axis).abs()

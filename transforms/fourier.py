"""Centered orthonormal Fourier transforms between images and k-space."""

from __future__ import annotations

from collections.abc import Sequence

from monai.transforms import Transform
from torch import Tensor

from ..operators.fourier import AXES, image_to_kspace, kspace_to_image
from .keyed import KeyedTransform


class FourierTransform(Transform):
    """Replace an image by its k-space, or k-space by its image.

    Args:
        axes: along which to transform; for a volume ``(c, x, y, z)`` of axial slices ``(1, 2)``.
        inverse: from k-space to image.
    """

    def __init__(self, axes: Sequence[int] = AXES, inverse: bool = False) -> None:
        self.axes = tuple(axes)
        self.inverse = inverse

    def __call__(self, data: Tensor) -> Tensor:
        """Return a complex tensor of the same shape."""
        return (kspace_to_image if self.inverse else image_to_kspace)(data, self.axes)


class FourierTransformd(KeyedTransform):
    """Dictionary version of :class:`FourierTransform`."""

    array = FourierTransform

"""Centered orthonormal Fourier transforms between images and k-space."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from torch import Tensor

from ..operators.fourier import AXES, image_to_kspace, kspace_to_image
from .keyed import matching_keys


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


class FourierTransformd(MapTransform):
    """Dictionary version of :class:`FourierTransform`.

    Args:
        keys: of what to transform.
        output_keys: where the results go; in place if it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`FourierTransform`.

    Raises:
        ValueError: if ``output_keys`` are not as many as ``keys``.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = matching_keys(self.keys, output_keys)
        self.transform = FourierTransform(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform what is at every key."""
        out = dict(data)
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.transform(out[key])
        return out

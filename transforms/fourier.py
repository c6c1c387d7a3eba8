"""Centered orthonormal Fourier transforms between images and k-space."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Transform
from monai.utils import ensure_tuple
from torch import Tensor

AXES = (-2, -1)
Norm = Literal["ortho", "backward"]


def image_to_kspace(image: Tensor, axes: Sequence[int] = AXES, norm: Norm = "ortho") -> Tensor:
    """Transform ``axes`` alone: ``F(k) = N^(-1/2) sum_x f(x) exp(-2 pi i (k - c)(x - c) / N)``, ``c = N // 2``.

    Args:
        image: real or complex, of any shape.
        axes: along which to transform.
        norm: ``"backward"`` leaves out ``N^(-1/2)``, as some networks were trained so.

    Returns:
        Complex k-space of the same shape, its center at index ``N // 2`` of each of the axes.
    """
    shifted = _shift_back(image, axes)
    return _shift(torch.fft.fftn(shifted, dim=tuple(axes), norm=norm), axes)


def kspace_to_image(kspace: Tensor, axes: Sequence[int] = AXES, norm: Norm = "ortho") -> Tensor:
    """Invert :func:`image_to_kspace` of the same ``norm``; where that is unitary, this is its adjoint too."""
    shifted = _shift_back(kspace, axes)
    return _shift(torch.fft.ifftn(shifted, dim=tuple(axes), norm=norm), axes)


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


def _shift(x: Tensor, axes: Sequence[int]) -> Tensor:
    """``fftshift``; for an export as cuts, since ONNX knows no shifts by sizes that are not known yet."""
    if not torch.compiler.is_exporting():
        return torch.fft.fftshift(x, tuple(axes))
    for axis in axes:
        half = x.shape[axis] // 2
        x = torch.cat([x.narrow(axis, x.shape[axis] - half, half), x.narrow(axis, 0, x.shape[axis] - half)], axis)
    return x


def _shift_back(x: Tensor, axes: Sequence[int]) -> Tensor:
    """``ifftshift``, as :func:`_shift`."""
    if not torch.compiler.is_exporting():
        return torch.fft.ifftshift(x, tuple(axes))
    for axis in axes:
        half = x.shape[axis] // 2
        x = torch.cat([x.narrow(axis, half, x.shape[axis] - half), x.narrow(axis, 0, half)], axis)
    return x


def matching_keys(keys: tuple[Hashable, ...], output_keys: KeysCollection | None) -> tuple[Hashable, ...]:
    """Return ``output_keys``, or ``keys`` where it is None.

    Raises:
        ValueError: if they are not as many.
    """
    found = keys if output_keys is None else ensure_tuple(output_keys)
    if len(found) != len(keys):
        raise ValueError(f"output_keys must be as many as keys, got {found} for {keys}")
    return found

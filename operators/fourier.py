"""Centered Fourier transforms between images and k-space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from .linear_operator import Identity, LinearOperator

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


class Fourier(LinearOperator):
    """``F x``, centered and unitary.

    Args:
        axes: along which to transform.
    """

    def __init__(self, axes: Sequence[int] = AXES) -> None:
        self.axes = tuple(axes)

    def __call__(self, image: Tensor, /) -> Tensor:
        """Return :func:`image_to_kspace`."""
        return image_to_kspace(image, self.axes)

    def adjoint(self, kspace: Tensor, /) -> Tensor:
        """Return :func:`kspace_to_image`."""
        return kspace_to_image(kspace, self.axes)

    @property
    def gram(self) -> LinearOperator:
        """The identity."""
        return Identity()


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

"""Low resolution as a scanner makes it: the center of k-space alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .linear_operator import LinearOperator


class Truncation(LinearOperator):
    """:func:`truncate_kspace` between two sizes; the adjoint is zero-filling, but for a factor.

    Args:
        full: size of the last axes of images.
        size: of those of low resolution.
    """

    def __init__(self, full: Sequence[int], size: Sequence[int]) -> None:
        self.full, self.size = tuple(full), tuple(size)

    def __call__(self, image: Tensor, /) -> Tensor:
        """Return the image of low resolution."""
        return truncate_kspace(image, self.size)

    def adjoint(self, low: Tensor, /) -> Tensor:
        """Return ``prod(n / N)`` times :func:`zero_fill_kspace`."""
        return _share(self.size, self.full) * zero_fill_kspace(low, self.full)

    def pseudo_inverse(self, low: Tensor) -> Tensor:
        """Return the smallest image whose truncation is ``low``.

        It is the zero-filled one, but for the samples of a real image that have no partner in k-space (see
        :func:`truncate_kspace`): of these, truncation keeps half of what zero-filling puts in.
        """
        return zero_fill_kspace(low if low.is_complex() else _double_unpaired(low, self.full), self.full)


def truncate_kspace(image: Tensor, size: Sequence[int], keep_intensity: bool = True) -> Tensor:
    """Keep the central samples of the k-space of the last axes: ``y = c F_n^-1 crop F_N x``.

    F is unitary with its origin at the first voxel, so that ``y[j]`` lies at ``x[j N / n]``, whatever is even or odd;
    c = ``prod(n / N)^(1/2)``, with which a constant stays what it is. The samples kept are -(n // 2) to
    (n - 1) // 2. Of a real image the real part is returned: where n is even, the outermost sample has no partner.

    Args:
        image: real or complex, ``(..., *N)``.
        size: n of the last axes.
        keep_intensity: c = 1 otherwise, as in the code of SANet (Feng et al. 2024, arXiv:2109.01664), whose images of
            low resolution are brighter by the factor of truncation in 2D.

    Raises:
        ValueError: if a size is below one or above that of the image.
    """
    full = _check(image.shape, size, "at most")
    axes = tuple(range(-len(size), 0))
    kspace = torch.fft.fftn(image, dim=axes, norm="ortho")
    for axis, n in zip(axes, size, strict=True):
        kspace = kspace.index_select(axis, _kept(n, kspace.shape[axis], image.device))
    low = torch.fft.ifftn(kspace, dim=axes, norm="ortho")
    low = low * (_share(size, full) ** 0.5 if keep_intensity else 1.0)
    return low if image.is_complex() else low.real


def zero_fill_kspace(low: Tensor, size: Sequence[int]) -> Tensor:
    """Fill k-space up with zeros: interpolate to ``size``, at unchanged intensity.

    It is ``prod(N / n)`` times the adjoint of :class:`Truncation`, and goes through the values of ``low``.

    Args:
        low: real or complex, ``(..., *n)``.
        size: N of the last axes.

    Raises:
        ValueError: if a size is below that of ``low``.
    """
    small = _check(low.shape, size, "at least")
    axes = tuple(range(-len(size), 0))
    kspace = torch.fft.fftn(low, dim=axes, norm="ortho")
    for axis, n in zip(axes, size, strict=True):
        shape = list(kspace.shape)
        kept, shape[axis] = _kept(shape[axis], n, low.device), n
        kspace = kspace.new_zeros(shape).index_copy(axis, kept, kspace)
    image = torch.fft.ifftn(kspace, dim=axes, norm="ortho") / _share(small, size) ** 0.5
    return image if low.is_complex() else image.real


def low_resolution_of(zero_filled: Tensor, size: Sequence[int]) -> Tensor:
    """Return the image of which ``zero_filled`` was interpolated by :func:`zero_fill_kspace`.

    Arguments and errors are those of :func:`truncate_kspace`.
    """
    low = truncate_kspace(zero_filled, size)
    return low if low.is_complex() else _double_unpaired(low, zero_filled.shape[-len(size) :])


def coarse_size(shape: Sequence[int], factor: Sequence[float]) -> tuple[int, ...]:
    """Return how many voxels are left: the largest whole numbers that do not exceed ``shape / factor``."""
    return tuple(max(int(n / f + 1e-9), 1) for n, f in zip(shape, factor, strict=True))


def _kept(n: int, full: int, device: torch.device) -> Tensor:
    """Indices in a k-space of ``full`` samples, zero frequency first, of the ``n`` central ones in the same order."""
    frequencies = torch.fft.fftfreq(n, 1 / n, device=device).round().long()
    return frequencies % full


def _double_unpaired(low: Tensor, full: Sequence[int]) -> Tensor:
    axes = tuple(range(-len(full), 0))
    weight = low.new_ones(low.shape[-len(full) :])
    for axis, n in zip(axes, full, strict=True):
        m = low.shape[axis]
        if m % 2 == 0 and m < n:
            weight.select(axis, m // 2).fill_(2.0)
    return torch.fft.ifftn(torch.fft.fftn(low, dim=axes) * weight, dim=axes).real


def _share(size: Sequence[int], full: Sequence[int]) -> float:
    return math.prod(n / m for n, m in zip(size, full, strict=True))


def _check(shape: Sequence[int], size: Sequence[int], relation: str) -> tuple[int, ...]:
    own = tuple(shape[-len(size) :])
    pairs = zip(size, own, strict=True)
    if any(n < 1 or (n > m if relation == "at most" else n < m) for n, m in pairs):
        raise ValueError(f"size must be {relation} {own} and positive, got {tuple(size)}")
    return own

"""The field that magnetic susceptibility makes: the unit dipole and its convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from .b0_direction import Vector, unit_vectors

Kernel = Literal["kspace", "image"]

SPATIAL = (-3, -2, -1)


def dipole_kernel(
    shape: Sequence[int],
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    center_value: float = 0.0,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Tensor:
    """Sample the unit dipole in k-space, ``D(k) = 1/3 - (k.B)^2 / |k|^2``, with ``D(0) = center_value``.

    Salomir et al. 2003, Concepts Magn Reson B 19:26, doi:10.1002/cmr.b.10083; Marques and Bowtell 2005, Concepts Magn
    Reson B 25:65, doi:10.1002/cmr.b.20034. Frequencies are those of ``fftfreq``, in cycles per mm. At the highest
    frequency of an even axis, which stands for both signs, it is the mean over both: D is then even for every direction
    of B0, and its convolution with a real map is real.

    Args:
        shape: voxels along each axis.
        voxel_size: mm along each axis, ``(3,)``, or one for each item of a batch, ``(b, 3)``.
        b0_direction: of the main field in voxel axes, of any length but zero, ``(3,)`` or ``(b, 3)``.
        center_value: what a uniform susceptibility in all of space makes, in ppm per ppm; it is not measurable.
        dtype: of the result.
        device: of the result.

    Returns:
        ``shape``, or ``(b, 1, *shape)`` where an argument has a batch axis; zero frequency first.

    Raises:
        ValueError: for a voxel size that is not positive, or a direction of length zero.
    """
    sizes, directions, is_batch = _batch_of_vectors(voxel_size, b0_direction, dtype, device)
    frequencies = [torch.fft.fftfreq(n, dtype=dtype, device=device) / sizes[:, a, None] for a, n in enumerate(shape)]
    along, squared = _along_and_squared(frequencies, directions)
    kernel = _even(1 / 3 - along**2 / squared)
    kernel[:, 0, 0, 0] = center_value
    return kernel[:, None] if is_batch else kernel[0]


def dipole_kernel_from_image_space(
    shape: Sequence[int],
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Tensor:
    """Transform the sampled dipole ``d(r) = v / (4 pi) (3 (r.B)^2 - r^2) / r^5`` to k-space; v is a voxel's volume.

    ``d(0) = 0``, which is Lorentz' correction. On a grid twice as large as the map there is no wrap-around at all.
    Where B0 is oblique to the voxels it is the more exact one: ``D(k)`` jumps from one end of k-space to the other
    there, and rings. Arguments and result are those of :func:`dipole_kernel`.

    Raises:
        ValueError: for a voxel size that is not positive, or a direction of length zero.
    """
    sizes, directions, is_batch = _batch_of_vectors(voxel_size, b0_direction, dtype, device)
    places = [torch.fft.fftfreq(n, 1 / n, dtype=dtype, device=device) * sizes[:, a, None] for a, n in enumerate(shape)]
    along, squared = _along_and_squared(places, directions)
    volume = sizes.prod(1).reshape(-1, 1, 1, 1)
    dipole = _even(volume / (4 * torch.pi) * (3 * along**2 - squared) / squared**2.5)
    dipole[:, 0, 0, 0] = 0
    kernel = torch.fft.fftn(dipole, dim=SPATIAL).real
    return kernel[:, None] if is_batch else kernel[0]


class DipoleConvolution(nn.Module):
    """Turn susceptibility (ppm) into the relative field shift it makes (ppm): ``b = F^-1 D F chi``.

    The field is that of the map alone, with nothing around it. It is self-adjoint.

    Args:
        shape: voxels along each axis of the maps.
        voxel_size: mm, see :func:`dipole_kernel`.
        b0_direction: in voxel axes, see :func:`dipole_kernel`.
        padding: factor by which the grid grows by zeros, so that a map does not meet its own periodic images; 1 for
            a periodic map.
        kernel: ``"kspace"`` for :func:`dipole_kernel`, ``"image"`` for :func:`dipole_kernel_from_image_space`.
        dtype: of the kernel.

    Raises:
        ValueError: if ``padding`` is below 1 or ``kernel`` unknown, and as the kernels do.
    """

    kernel: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        voxel_size: Vector = (1.0, 1.0, 1.0),
        b0_direction: Vector = (0.0, 0.0, 1.0),
        padding: float = 2.0,
        kernel: Kernel = "kspace",
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if kernel not in ("kspace", "image"):
            raise ValueError(f"kernel must be 'kspace' or 'image', got {kernel!r}")
        make = dipole_kernel if kernel == "kspace" else dipole_kernel_from_image_space
        device = next((v.device for v in (voxel_size, b0_direction) if isinstance(v, Tensor)), None)
        values = make(padded_shape(shape, padding), voxel_size, b0_direction, dtype=dtype, device=device)
        self.register_buffer("kernel", values, persistent=False)

    def forward(self, susceptibility: Tensor) -> Tensor:
        """Map susceptibility ``(b, c, x, y, z)``, real, to the field of the same shape."""
        return filter_kspace(susceptibility, self.kernel)

    def adjoint(self, field: Tensor) -> Tensor:
        """Map a field ``(b, c, x, y, z)`` by the adjoint, which is the forward operator."""
        return filter_kspace(field, self.kernel)


def filter_kspace(image: Tensor, response: Tensor) -> Tensor:
    """Multiply the spectrum of real images by a real and even response, ``F^-1 response F image``.

    Args:
        image: ``(..., x, y, z)``, padded with zeros at its end to the size of the response and cut back.
        response: ``(..., X, Y, Z)`` with zero frequency first, at least as large.
    """
    shape, padded = image.shape[-3:], response.shape[-3:]
    half = response[..., : padded[-1] // 2 + 1]
    filtered = torch.fft.irfftn(torch.fft.rfftn(image, s=padded, dim=SPATIAL) * half, s=padded, dim=SPATIAL)
    return filtered[..., : shape[0], : shape[1], : shape[2]]


def padded_shape(shape: Sequence[int], padding: float) -> tuple[int, ...]:
    """Grow a grid by a factor to a size that the FFT likes; a factor of 1 leaves it alone.

    Raises:
        ValueError: if the factor is below 1.
    """
    if padding < 1:
        raise ValueError(f"padding must be a factor of at least 1, got {padding}")
    return tuple(shape) if padding == 1 else tuple(next_fast_len(math.ceil(n * padding), real=True) for n in shape)


def _batch_of_vectors(
    voxel_size: Vector, b0_direction: Vector, dtype: torch.dtype, device: torch.device | str | None
) -> tuple[Tensor, Tensor, bool]:
    sizes, directions = (torch.as_tensor(v, dtype=dtype, device=device) for v in (voxel_size, b0_direction))
    if not (sizes > 0).all():
        raise ValueError(f"voxel_size must be positive, got {sizes.tolist()}")
    return torch.atleast_2d(sizes), unit_vectors(torch.atleast_2d(directions)), max(sizes.ndim, directions.ndim) == 2


def _along_and_squared(axes: Sequence[Tensor], directions: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``p.B`` and ``|p|^2``, ``(b, x, y, z)``, at the grid of three axes ``(b, n)``; 1 for 0 at the origin."""
    x, y, z = axes[0][:, :, None, None], axes[1][:, None, :, None], axes[2][:, None, None, :]
    a, b, c = directions.T[..., None, None, None]
    squared = x**2 + y**2 + z**2
    squared[:, 0, 0, 0] = 1
    return a * x + b * y + c * z, squared


def _even(values: Tensor) -> Tensor:
    """Take the mean of values at k and -k; they differ at the highest frequency of even axes alone."""
    return (values + values.flip(SPATIAL).roll((1, 1, 1), SPATIAL)) / 2

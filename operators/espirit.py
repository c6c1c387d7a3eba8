"""Sensitivities of receive coils, from the null space of their calibration data."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from .fourier import kspace_to_image

KERNELS = (6, 4)  # samples along each side; the latter for small centers, which have few patches
THRESHOLD = 0.02  # of the largest singular value; below, there is noise
CROP = 0.9  # of the eigenvalue, which is 1 where there is an object that one set of sensitivities explains
LARGEST = 24  # samples along each side of the calibration data
SMALLEST = 8


def calibration_size(mask: Tensor) -> tuple[int, int] | None:
    """Return the sides of the largest rectangle around the center of k-space that is sampled completely.

    Args:
        mask: True is sampled, ``(h, w)``.

    Returns:
        Sides from 8 to 24 samples; None if there is no such rectangle.
    """
    sides = [range(SMALLEST, min(n, LARGEST) + 1) for n in mask.shape]
    found = [(y * x, y, x) for y in sides[0] for x in sides[1] if bool(_center(mask, (y, x)).all())]
    return max(found)[1:] if found else None


def compress_coils(kspace: Tensor, n_coils: int) -> Tensor:
    """Return the strongest combinations of coils: the first left singular vectors of the data times the data.

    Huang et al. 2008, Magn Reson Imaging 26:133. White noise stays white and as strong.

    Args:
        kspace: ``(coil, h, w)``.
        n_coils: at most.
    """
    flat = kspace.flatten(1)
    normalized = flat / flat.abs().max().clamp_min(torch.finfo(flat.real.dtype).tiny)  # of which squares are numbers
    vectors = torch.linalg.eigh(normalized @ normalized.mH).eigenvectors.flip(-1)[:, :n_coils]
    return (vectors.mH @ flat).view(-1, *kspace.shape[1:])


def espirit_maps(kspace: Tensor, mask: Tensor, noise: float = 0.0, kernel: int = KERNELS[0]) -> Tensor | None:
    """Estimate the sensitivities of coils from the fully sampled center of k-space, by ESPIRiT.

    Uecker et al. 2014, Magn Reson Med 71:990, doi:10.1002/mrm.24751: all patches of some samples of all coils lie in a
    space of few dimensions, from the singular vectors above 0.02 of the largest singular value (Eq. 5), and above what
    noise alone has (Marchenko and Pastur 1967, doi:10.1070/SM1967v001n04ABEH001994, as if patches did not overlap). To
    be projected onto it changes nothing, which at each pixel is an eigenvalue problem of the size of the coils (Eqs. 15
    to 19), whose eigenvector for the eigenvalue 1 is the sensitivities. The first set of maps is taken. They have unit
    norm over the coils, the phase of the first coil is zero, and they are zero where the eigenvalue is below 0.9, and
    everywhere if k-space is.

    Args:
        kspace: centered, complex, ``(coil, h, w)``, of two coils or more.
        mask: True is sampled, ``(h, w)``.
        noise: standard deviation of the real and of the imaginary part of samples.
        kernel: samples along each side of a patch.

    Returns:
        ``(coil, h, w)``, complex; None where the center is not sampled completely over at least 8 x 8 samples, or where
        one set of maps does not do: in most of the image a second eigenvalue is above 0.9 too, as with noise alone.
    """
    size = calibration_size(mask)
    if size is None:
        return None
    n_coils, h, w = kspace.shape
    center = _center(kspace, size)
    scale = center.abs().max()
    if not scale > 0:
        return torch.zeros_like(kspace)
    patches = (center / scale).unfold(1, kernel, 1).unfold(2, kernel, 1).permute(1, 2, 0, 3, 4).flatten(0, 1).flatten(1)
    values, vectors = torch.linalg.eigh(patches.mH @ patches)  # of squares of singular values
    of_noise = 2 * (noise / scale) ** 2 * (len(patches) ** 0.5 + patches.shape[1] ** 0.5) ** 2
    kept = vectors[:, values > (THRESHOLD**2 * values[-1]).clamp_min(float(of_noise))]
    if kept.shape[1] == 0:
        return None
    kernels = kept.mT.conj().reshape(-1, n_coils, kernel, kernel)
    # the sum over all kernels of what they are in the image, times its adjoint, from their correlations
    spectra = torch.fft.fft2(kernels, s=[2 * kernel - 1] * 2).permute(2, 3, 1, 0)
    correlations = torch.fft.ifft2((spectra @ spectra.mH).permute(2, 3, 0, 1))
    padding = [side for n in (w, h) for side in (n // 2 - kernel + 1, n - n // 2 - kernel)]
    lagged = F.pad(torch.fft.fftshift(correlations, (-2, -1)), padding)
    matrices = kspace_to_image(lagged).permute(2, 3, 0, 1) * ((h * w) ** 0.5 / kernel**2)
    eigenvalues, eigenvectors = torch.linalg.eigh(matrices)
    explained = eigenvalues[..., -1] > CROP
    if 2 * int((explained & (eigenvalues[..., -2] > CROP)).sum()) > int(explained.sum()):
        return None
    maps = eigenvectors[..., -1]
    maps = maps * torch.polar(torch.ones_like(maps.real[..., :1]), -maps[..., :1].angle())
    return torch.where(explained[..., None], maps, 0).permute(2, 0, 1).contiguous()


def _center(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut out the middle of the last two axes, with the center of k-space in its middle."""
    for axis, n in zip((-2, -1), size, strict=True):
        x = x.narrow(axis, x.shape[axis] // 2 - n // 2, n)
    return x

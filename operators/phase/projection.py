"""The local field as what dipoles outside of the mask cannot make."""

from __future__ import annotations

import math

from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from ..b0_direction import Vector
from ..conjugate_gradient import conjugate_gradient
from ..dipole_convolution import DipoleConvolution
from ..linear_operator import Diagonal


def project_onto_dipoles(
    field: Tensor,
    mask: Tensor,
    voxel_size: Vector,
    b0_direction: Vector,
    *,
    weight: Tensor | None = None,
    n_iterations: int = 60,
    tolerance: float = 1e-4,
    margin: float = 24.0,
) -> tuple[Tensor, Tensor]:
    """Remove the field of sources outside of a mask by projection onto dipole fields (PDF).

    Minimizes ``|W M (field - D (1 - M) chi)|^2`` over susceptibility outside of the mask M by
    :func:`conjugate_gradient`, and leaves ``M (field - D (1 - M) chi)``. Liu et al. 2011, NMR Biomed 24:1129,
    doi:10.1002/nbm.1670. Fields of dipoles outside are nearly orthogonal to those inside, but for the border.

    The sources are on a periodic grid with a margin: whatever they are, their field in the mask is that of sources
    outside.

    Args:
        field: ``(1, 1, x, y, z)``, any unit.
        mask: 0 and 1, of the same shape.
        voxel_size: mm, ``(3,)``.
        b0_direction: in voxel axes, ``(3,)``.
        weight: W, of the same shape, such as one over the noise; 1 if it is None.
        n_iterations: at most; more let sources outside take what is inside.
        tolerance: see :func:`conjugate_gradient`.
        margin: mm of the grid around the volume.

    Returns:
        The local field, zero outside of the mask, and the mask, which loses nothing.
    """
    sizes, shape = [float(size) for size in voxel_size], field.shape[-3:]
    grid = [next_fast_len(n + 2 * math.ceil(margin / size), real=True) for n, size in zip(shape, sizes, strict=True)]
    before = [(large - n) // 2 for large, n in zip(grid, shape, strict=True)]
    padding = [edge for n, large, b in list(zip(shape, grid, before, strict=True))[::-1] for edge in (b, large - n - b)]
    inside = F.pad((mask > 0).to(field.dtype), padding)
    trust = inside if weight is None else inside * F.pad(weight.to(field.dtype), padding)
    measured = F.pad(field, padding) * inside
    dipoles = DipoleConvolution(grid, sizes, b0_direction, padding=1.0, dtype=field.dtype)
    outside = Diagonal(1 - inside)
    model = Diagonal(trust) @ dipoles @ outside
    sources = conjugate_gradient(model, trust * measured, n_iterations, tolerance=tolerance)
    local = (measured - dipoles(outside(sources))) * inside
    x, y, z = (slice(b, b + n) for b, n in zip(before, shape, strict=True))
    return local[..., x, y, z], mask > 0

"""Make susceptibility maps agree with the measured field, over the whole volume."""

from __future__ import annotations

from torch import Tensor

from .b0_direction import Vector
from .conjugate_gradient import conjugate_gradient
from .dipole_convolution import DipoleConvolution
from .linear_operator import Diagonal


def agree_with_field(  # noqa: PLR0913 - a problem and the options of its solver
    susceptibility: Tensor,
    field: Tensor,
    mask: Tensor,
    voxel_size: Vector,
    b0_direction: Vector,
    weight: float,
    *,
    n_iterations: int = 50,
    tolerance: float = 1e-3,
    padding: float = 2.0,
) -> Tensor:
    """Minimize ``|M (D x - b)|^2 + weight |x - chi|^2`` over maps x, and return M x.

    The data-consistency step of MoDL, Aggarwal et al. 2019, IEEE Trans Med Imaging 38:394,
    doi:10.1109/TMI.2018.2865356, equation 7, with the dipole for the coils. The difference ``x - chi`` is found by
    :func:`conjugate_gradient` with the weight as its damping. Unlike :class:`DipoleDataConsistency`, which is the
    closed form where the field is measured everywhere, it knows that there is no field outside of the mask M, and
    sources do not meet their periodic images. Sources outside of the mask, of which chi says nothing (it is zero
    there), may explain the field as well: a mask that lost its border has some. A field is fit down to its noise: the
    more of it, the larger the weight should be.

    Args:
        susceptibility: chi in ppm, ``(b, 1, x, y, z)``.
        field: b in ppm, of the same shape.
        mask: 1 where the field is measured and 0 elsewhere, of the same shape.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        weight: of the map chi, in units of D^2, whose values are up to 4/9.
        n_iterations: at most; the smaller the weight, the more are needed.
        tolerance: stop when the residual of the normal equations has fallen to this part of the first.
        padding: factor by which the grid grows by zeros.

    Returns:
        ``(b, 1, x, y, z)``, in ppm.

    Raises:
        ValueError: if ``weight`` is not positive, or ``padding`` below 1.
    """
    if not weight > 0:
        raise ValueError(f"weight must be positive, got {weight}")
    support = Diagonal(mask.to(field.dtype))
    convolve = DipoleConvolution(
        field.shape[2:], voxel_size, b0_direction, padding, dtype=field.dtype, device=field.device
    )
    chi = support(susceptibility)
    operator, missing = support @ convolve, support(field - convolve(chi))
    return support(chi + conjugate_gradient(operator, missing, n_iterations, damping=weight, tolerance=tolerance))


def descent_of_field_error(
    susceptibility: Tensor, field: Tensor, mask: Tensor, voxel_size: Vector, b0_direction: Vector, padding: float = 2.0
) -> Tensor:
    """Return where maps would have to change to agree with the field, ``M D (M (b - D M x))``.

    That is the negative gradient of ``1/2 |M (b - D M x)|^2``: the data term of an unrolled inversion. It brings what
    the field of the whole volume says about a voxel to this voxel, whatever voxel size and direction of B0, so that a
    network on patches may use it.

    Args:
        susceptibility: x in ppm, ``(b, 1, x, y, z)``.
        field: b in ppm, of the same shape.
        mask: M, 1 where the field is measured and 0 elsewhere, of the same shape.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        padding: factor by which the grid grows by zeros.

    Returns:
        ``(b, 1, x, y, z)``, in ppm.

    Raises:
        ValueError: if ``padding`` is below 1.
    """
    support = Diagonal(mask.to(field.dtype))
    convolve = DipoleConvolution(
        field.shape[2:], voxel_size, b0_direction, padding, dtype=field.dtype, device=field.device
    )
    operator = support @ convolve @ support
    return operator.adjoint(support(field) - operator(susceptibility))

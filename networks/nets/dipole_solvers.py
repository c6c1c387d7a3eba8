"""Classical dipole inversion in a network's place."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...operators.b0_direction import Vector
from ...operators.dipole_inversion.solvers import SOLVERS, NamedSolver

__all__ = ["SOLVERS", "DipoleSolver"]

ISOTROPIC = (1.0, 1.0, 1.0)
ALONG_Z = (0.0, 0.0, 1.0)


class DipoleSolver(nn.Module):
    """Invert a local field by a solver of :mod:`mri_attention.operators.dipole_inversion`.

    It has no parameters and takes a network's place in an evaluator.

    Args:
        method: a key of :data:`SOLVERS`.
        weight_by_mask: let only the field inside of the mask count, for solvers that take data weights.
        options: further arguments of the solver.

    Raises:
        ValueError: if ``method`` is unknown or does not take one of ``options``.
    """

    def __init__(self, method: str = "tkd", weight_by_mask: bool = True, **options: Any) -> None:
        super().__init__()
        self.solver = NamedSolver(method, weight_by_mask, **options)

    def forward(
        self,
        field: Tensor,
        voxel_size: Vector | None = None,
        b0_direction: Vector | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Map a local field (ppm) ``(b, 1, x, y, z)`` to susceptibility (ppm) of the same shape.

        Args:
            field: zero outside of the brain.
            voxel_size: mm, ``(3,)`` or ``(b, 3)``; 1 mm along each axis if it is None.
            b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``; the last axis if it is None.
            mask: of the brain, of the shape of ``field``.
        """
        sizes = ISOTROPIC if voxel_size is None else voxel_size
        direction = ALONG_Z if b0_direction is None else b0_direction
        return self.solver(field, sizes, direction, mask)

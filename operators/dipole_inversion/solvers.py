"""The solvers by name, called alike."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..b0_direction import Vector
from .least_squares import cgls
from .noise_weighting import weight_of_data
from .thresholding import tkd
from .tikhonov import tikhonov
from .total_variation import total_variation

SOLVERS: dict[str, Callable[..., Tensor]] = {
    "tkd": tkd,
    "tikhonov": tikhonov,
    "total_variation": total_variation,
    "cgls": cgls,
}


class NamedSolver:
    """One of :data:`SOLVERS` with its options.

    Args:
        method: a key of :data:`SOLVERS`.
        weight_by_mask: let only the field inside of the mask count, for solvers that take data weights, each voxel by
            :func:`weight_of_data` where its noise is known.
        options: further arguments of the solver.

    Raises:
        ValueError: if ``method`` is unknown or does not take one of ``options``.
    """

    def __init__(self, method: str = "tkd", weight_by_mask: bool = True, **options: Any) -> None:
        if method not in SOLVERS:
            raise ValueError(f"method must be one of {', '.join(SOLVERS)}, got {method!r}")
        self.solver = SOLVERS[method]
        known = inspect.signature(self.solver).parameters
        if unknown := [name for name in options if name not in known]:
            raise ValueError(f"{method} takes {', '.join(list(known)[4:])}, got {', '.join(unknown)}")
        self.weight_by_mask = weight_by_mask and "data_weight" in known
        self.known = set(known)
        self.options = options

    def __call__(
        self,
        field: Tensor,
        voxel_size: Vector,
        b0_direction: Vector,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        structure: Tensor | None = None,
    ) -> Tensor:
        """Map a local field (ppm) ``(b, 1, x, y, z)`` to susceptibility (ppm) of the same shape.

        Args:
            field: zero outside of the brain.
            voxel_size: mm, ``(3,)`` or ``(b, 3)``.
            b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
            mask: of the brain, of the shape of ``field``.
            noise: standard deviation of the field's noise (ppm), ``(b,)`` or of the shape of ``field``.
            structure: an image of the shape of ``field``, with edges.

        The last two are for the solvers that take them.
        """
        options = dict(self.options)
        if self.weight_by_mask and mask is not None:
            weights = mask.to(field.dtype)
            if noise is not None and noise.ndim == field.ndim:
                weights = weight_of_data(noise, weights)
            options.setdefault("data_weight", weights)
        for name, value in (("noise", noise), ("structure", structure)):
            if value is not None and name in self.known:
                options.setdefault(name, value)
        return self.solver(field, voxel_size, b0_direction, mask, **options)

"""The ways to remove background fields by name, called alike."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..b0_direction import Vector
from .projection import project_onto_dipoles
from .single_step import single_step
from .vsharp import vsharp

BACKGROUNDS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {
    "single_step": single_step,
    "vsharp": vsharp,
    "pdf": project_onto_dipoles,
}
MEASURED = ("weight", "noise")  # arguments of methods that come with the field


class NamedBackground:
    """One of :data:`BACKGROUNDS` with its options.

    Args:
        method: a key of :data:`BACKGROUNDS`.
        options: further arguments of the function.

    Raises:
        ValueError: if ``method`` is unknown or does not take one of ``options``.
    """

    def __init__(self, method: str = "single_step", **options: Any) -> None:
        if method not in BACKGROUNDS:
            raise ValueError(f"must be one of {', '.join(BACKGROUNDS)}, got {method!r}")
        self.method, self.options = method, options
        known = inspect.signature(BACKGROUNDS[method]).parameters.values()
        self.own = [parameter.name for parameter in known if parameter.kind is parameter.KEYWORD_ONLY]
        if unknown := [name for name in options if name not in self.own]:
            raise ValueError(f"{method} takes {', '.join(self.own)}, got {', '.join(unknown)}")

    @property
    def settings(self) -> dict[str, Any]:
        """All options that are numbers, those of the method where none was given; None for what follows the voxels."""
        known = inspect.signature(BACKGROUNDS[self.method]).parameters
        return {name: known[name].default for name in self.own if name not in MEASURED} | self.options

    def __call__(
        self,
        field: Tensor,
        mask: Tensor,
        voxel_size: Vector,
        b0_direction: Vector,
        weight: Tensor | None = None,
        noise: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the local field of a total field ``(1, 1, x, y, z)``, and the mask that is left.

        Args:
            field: ppm.
            mask: 0 and 1, of the same shape.
            voxel_size: mm, ``(3,)``.
            b0_direction: in voxel axes, ``(3,)``.
            weight: of each voxel, at most 1, for methods that take it.
            noise: standard deviation of the field (ppm), for methods that take it.
        """
        remove = BACKGROUNDS[self.method]
        measured = {name: value for name, value in zip(MEASURED, (weight, noise), strict=True) if value is not None}
        options = {name: value for name, value in measured.items() if name in self.own} | self.options
        directions = (b0_direction,) if "b0_direction" in inspect.signature(remove).parameters else ()
        return remove(field, mask, voxel_size, *directions, **options)

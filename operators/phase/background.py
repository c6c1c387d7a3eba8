"""The ways to remove background fields by name, called alike."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..b0_direction import Vector
from .projection import project_onto_dipoles
from .vsharp import vsharp

BACKGROUNDS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {"vsharp": vsharp, "pdf": project_onto_dipoles}


class NamedBackground:
    """One of :data:`BACKGROUNDS` with its options.

    Args:
        method: a key of :data:`BACKGROUNDS`.
        options: further arguments of the function.

    Raises:
        ValueError: if ``method`` is unknown or does not take one of ``options``.
    """

    def __init__(self, method: str = "vsharp", **options: Any) -> None:
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
        return {name: known[name].default for name in self.own if name != "weight"} | self.options

    def __call__(
        self, field: Tensor, mask: Tensor, voxel_size: Vector, b0_direction: Vector, weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the local field of a total field ``(1, 1, x, y, z)``, and the mask that is left.

        Args:
            field: any unit.
            mask: 0 and 1, of the same shape.
            voxel_size: mm, ``(3,)``.
            b0_direction: in voxel axes, ``(3,)``.
            weight: of each voxel, at most 1, for methods that take it.
        """
        remove = BACKGROUNDS[self.method]
        options = dict(self.options)
        if "weight" in self.own and weight is not None:
            options.setdefault("weight", weight)
        directions = (b0_direction,) if "b0_direction" in inspect.signature(remove).parameters else ()
        return remove(field, mask, voxel_size, *directions, **options)

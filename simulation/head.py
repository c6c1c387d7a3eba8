"""A simulated head: tissues, regions, lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .deformation import Grid

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Head:
    """One deformed head with its lesions.

    Attributes:
        grid: voxel grid of all maps.
        tissues: fraction of each tissue, ``(x, y, z)``, lesion among them; what is missing to one is air.
        brain: True inside the brain and the fluid around it.
        lesions: the true lesion mask.
        regions: ``ventricles`` and, where the anatomy has it, ``choroid_plexus``, ``(x, y, z)``, 0 to 1.
    """

    grid: Grid
    tissues: dict[str, Volume]
    brain: Mask
    lesions: Mask
    regions: Mapping[str, Volume] = field(default_factory=dict)

    @property
    def spacing(self) -> float:
        """Voxel size, mm."""
        return float(self.grid.affine[0, 0])

    def turn(self, shares: Volume, into: str, of: Sequence[str]) -> Head:
        """Let shares ``(x, y, z)``, 0 to 1, of some tissues become another tissue; true lesions stay as they are."""
        shares = np.where(self.lesions, np.float32(0), np.clip(shares, 0, 1)).astype(np.float32)
        tissues = dict(self.tissues)
        gained = tissues.get(into, np.zeros_like(shares))
        for name in (name for name in of if name in tissues and name != into):
            gained = gained + shares * tissues[name]
            tissues[name] = tissues[name] * (1 - shares)
        return replace(self, tissues=tissues | {into: gained})

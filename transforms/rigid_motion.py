"""Rigid motions in world coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray


@dataclass(frozen=True)
class RigidMotion:
    """Rigid motion in world coordinates (RAS, mm).

    Attributes:
        matrix: 4x4, takes points of the moving image to the fixed image: ``matrix @ moving.affine`` aligns.
        rotation: degrees about the axes R, A, S, applied in the order R, A, S.
        translation: mm, of the center of the moving image.
    """

    matrix: NDArray[Any]
    rotation: tuple[float, float, float]
    translation: tuple[float, float, float]

    @classmethod
    def of(cls, matrix: NDArray[Any], center: NDArray[Any]) -> RigidMotion:
        """Take angles and the shift of ``center`` (mm) from ``matrix``."""
        r = matrix[:3, :3]
        angles = np.degrees(
            [np.arctan2(r[2, 1], r[2, 2]), np.arcsin(np.clip(-r[2, 0], -1, 1)), np.arctan2(r[1, 0], r[0, 0])]
        )
        shift = r @ center + matrix[:3, 3] - center
        return cls(matrix, tuple(angles.tolist()), tuple(shift.tolist()))

    def __str__(self) -> str:
        rotation = ", ".join(f"{angle:.2f}" for angle in self.rotation)
        translation = ", ".join(f"{shift:.2f}" for shift in self.translation)
        return f"rotation ({rotation}) degrees, translation ({translation}) mm"

    def apply(self, moving: MetaTensor) -> MetaTensor:
        """Move ``moving`` by changing its affine; its voxels stay."""
        return moved_by(moving, self.matrix)

    @property
    def angle(self) -> float:
        """Degrees, about whichever axis."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.matrix[:3, :3]) - 1) / 2, -1, 1))))


def moved_by(image: MetaTensor, matrix: NDArray[Any]) -> MetaTensor:
    """Return ``image`` where a world matrix (RAS, mm) takes it; its voxels stay."""
    moved = MetaTensor(image.as_tensor(), meta=dict(image.meta))
    moved.affine = torch.from_numpy(matrix @ image.affine.numpy())
    return moved

"""Smooth random deformations of anatomies, drawn and applied in world coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Grid:
    """A voxel grid.

    Attributes:
        shape: voxels along each axis.
        affine: voxel-to-world matrix (RAS, mm).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @staticmethod
    def around(center: tuple[float, ...], extent: tuple[float, ...], spacing: tuple[float, ...]) -> Grid:
        """Axis-aligned RAS grid of ``extent`` (mm) and ``spacing`` (mm) around a world point."""
        shape = tuple(round(e / s) for e, s in zip(extent, spacing, strict=True))
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = [c - s * (n - 1) / 2 for c, s, n in zip(center, spacing, shape, strict=True)]
        return Grid((shape[0], shape[1], shape[2]), affine)

    def points(self) -> NDArray[np.float32]:
        """World coordinates (mm) of all voxel centers, shape ``(x, y, z, 3)``, for an axis-aligned grid."""
        axes = [np.arange(n) * self.affine[a, a] + self.affine[a, 3] for a, n in enumerate(self.shape)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).astype(np.float32)


class SmoothDeformation:
    """Random affine map about a center plus a smooth displacement field: from points of a subject to the anatomy.

    ``p -> center + A (p - center) + u(p)``, where ``u`` is a cubic spline through Gaussian displacements on a coarse
    lattice.

    Args:
        rng: source of all randomness.
        center: fixed point of the affine part (RAS, mm).
        scale: size of the subject relative to the anatomy.
        rotation: standard deviation of each rotation angle (degrees).
        anisotropy: standard deviation of the relative scale of each axis.
        magnitude: standard deviation of the displacement (mm).
        wavelength: distance of the lattice's nodes (mm).
    """

    def __init__(
        self,
        rng: np.random.Generator,
        center: tuple[float, float, float],
        *,
        scale: float = 1.0,
        rotation: float = 4.0,
        anisotropy: float = 0.04,
        magnitude: float = 3.0,
        wavelength: float = 35.0,
    ) -> None:
        self.center = np.asarray(center, dtype=np.float32)
        turn = Rotation.from_euler("xyz", rng.normal(0, rotation, 3), degrees=True).as_matrix()
        stretch = np.diag(rng.normal(1, anisotropy, 3)) / scale
        self.matrix = (turn @ stretch).astype(np.float32)
        self.extent = 280.0
        n_nodes = round(self.extent / wavelength) + 1
        self.nodes = rng.normal(0, magnitude, (3, n_nodes, n_nodes, n_nodes)).astype(np.float32)

    def __call__(self, grid: Grid) -> Tensor:
        """Points of the anatomy (RAS, mm), shape ``(x, y, z, 3)``, that belong to the voxels of ``grid``."""
        points = torch.from_numpy(grid.points() - self.center)
        return points @ torch.from_numpy(self.matrix.T) + torch.from_numpy(self.center) + self._displacement(grid)

    def _displacement(self, grid: Grid) -> Tensor:
        """The spline, evaluated exactly on every fourth voxel and linearly between, shape ``(x, y, z, 3)``."""
        n_nodes = self.nodes.shape[-1]
        ends = [(grid.affine[a, 3], grid.affine[a, 3] + (n - 1) * grid.affine[a, a]) for a, n in enumerate(grid.shape)]
        world = [np.linspace(*end, n // 4 + 2) - c for end, n, c in zip(ends, grid.shape, self.center, strict=True)]
        lattice = np.stack(np.meshgrid(*world, indexing="ij")) * ((n_nodes - 1) / self.extent) + (n_nodes - 1) / 2
        coarse = np.stack([ndimage.map_coordinates(nodes, lattice, order=3, mode="nearest") for nodes in self.nodes])
        return torch.from_numpy(upsample(coarse, grid.shape)).permute(1, 2, 3, 0)


class Sampler:
    """Interpolate volumes of one grid linearly at given points; zero outside.

    Args:
        points: world coordinates ``(x, y, z, 3)`` (RAS, mm).
        shape: of the volumes.
        affine: their voxel-to-world matrix.
    """

    def __init__(self, points: Tensor, shape: tuple[int, ...], affine: NDArray[np.float64]) -> None:
        to_voxel = torch.from_numpy(np.linalg.inv(affine)).float()
        per_voxel = 2 / (torch.tensor(shape) - 1).float()
        matrix, offset = to_voxel[:3, :3] * per_voxel[:, None], to_voxel[:3, 3] * per_voxel - 1
        self.points = (points @ matrix.flip(0).T + offset.flip(0))[None]

    def __call__(self, volume: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of a volume of the given shape at the points, shape ``(x, y, z)``."""
        values = torch.from_numpy(np.ascontiguousarray(volume))[None, None]
        return functional.grid_sample(values, self.points, align_corners=True)[0, 0].numpy()


def upsample(coarse: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Interpolate ``(c, *coarse)`` linearly to ``(c, *shape)``; the corner voxels' centers coincide."""
    values = torch.from_numpy(np.ascontiguousarray(coarse, dtype=np.float32))[None]
    return functional.interpolate(values, size=shape, mode="trilinear", align_corners=True)[0].numpy()

"""Heads for tests: smooth balls, as files and as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.data import MetaTensor

CONTRASTS = ("T1w", "T2w", "FLAIR")
GRID = np.array([[-2.0, 0, 0, 20], [0, 2, 0, -22], [0, 0, 3, -15], [0, 0, 0, 1]])
ROTATED = GRID @ np.array([[0.8, -0.6, 0, 3], [0.6, 0.8, 0, -2], [0, 0, 1, 1], [0, 0, 0, 1]])


def blob(affine: np.ndarray, shape: tuple[int, ...] = (20, 22, 10), center: Sequence[float] = (0, 0, 0)) -> np.ndarray:
    """Sample a smooth ball at ``center`` (mm) on a grid."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    distance = np.linalg.norm(voxels @ affine[:3, :3].T + affine[:3, 3] - center, axis=-1)
    return np.exp(-((distance / 10) ** 2)).astype(np.float32)


def save(path: Path, data: np.ndarray, affine: np.ndarray = GRID) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def patient(folder: Path, t1w: np.ndarray = GRID, name: str = "sub-01") -> list[str]:
    """Write three contrasts (scaled by 1, 2, 3), the T1w on its own grid."""
    grids = {"T1w": t1w, "T2w": GRID, "FLAIR": GRID}
    return [
        str(save(folder / f"{name}_{contrast}.nii.gz", k * blob(grid), grid))
        for k, (contrast, grid) in enumerate(grids.items(), 1)
    ]


def tensor(data: np.ndarray, affine: np.ndarray = GRID) -> MetaTensor:
    return MetaTensor(torch.from_numpy(data)[None], affine=torch.from_numpy(affine), meta={"filename_or_obj": "a.nii"})

"""Heads for tests: balls of brain, in bone and scalp or without."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.data import MetaTensor

SHAPE = (60, 60, 44)
SPACING = (3.0, 3.0, 4.0)
BRAIN, BONE, SCALP = 64.0, 72.0, 80.0  # mm, outer radii


def head(skull: bool = True, noise: float = 0.0, level: float = 100.0, file: str = "sub-01_T1w.nii.gz") -> MetaTensor:
    """Return a brain ``(1, x, y, z)`` with sulci of other intensity, in RAS, with skull or without."""
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(SHAPE) / 2)
    x, y, z = (step * (np.arange(n) - n / 2) for step, n in zip(SPACING, SHAPE, strict=True))
    radius = np.sqrt(x[:, None, None] ** 2 + y[:, None] ** 2 + z**2)
    folds = 0.8 + 0.2 * np.sin(x / 6)[:, None, None] * np.cos(y / 7)[:, None]
    values = np.where(radius < BRAIN, folds, 0.0)
    if skull:
        values += (radius >= BRAIN) * (radius < BONE) * 0.1 + (radius >= BONE) * (radius < SCALP) * 0.9
    values = np.abs(values + noise * np.random.default_rng(0).standard_normal(SHAPE)) * level
    data = torch.from_numpy(values.astype(np.float32))[None]
    return MetaTensor(data, affine=torch.from_numpy(affine), meta={"filename_or_obj": file})


def save_head(path: Path, skull: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = head(skull)
    nib.save(nib.Nifti1Image(image[0].numpy(), image.affine.numpy()), path)
    return path


def ball(image: torch.Tensor, device: object = "cpu") -> np.ndarray:
    """Stand in for deepbet's network: the brain of :func:`head` ``(x, y, z)`` on its grid."""
    x, y, z = (step * (np.arange(n) - n / 2) for step, n in zip(SPACING, image.shape, strict=True))
    return np.asarray(np.sqrt(x[:, None, None] ** 2 + y[:, None] ** 2 + z**2) < BRAIN)

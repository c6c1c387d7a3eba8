"""The network of deepbet, which finds the brain in a head: its files, and how it is run."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..datasets.input_error import InputError

SHA256 = {
    "bbox_model.pt": "39a7b2b5f799faa1391ea97bfcdc0b9299f20d84f2316a4ff8918dc4685e40aa",
    "model.pt": "de8ee7c69654d0dd3935dc4a5d84571d8ecf4637a6bfc01df399c4c2bc86e0fd",
}
"""Of the models of deepbet 1.0.2, TorchScript: the first finds the box, the second the brain in it."""

COARSE, FINE = 128, 256  # voxels along each axis, of the head and of the box
MARGIN = 0.2  # of the box's size
RANGE = (0.005, 0.995)  # quantiles of the intensities, clipped there
IN_BOX = 0.02  # share of a plane of the box that is brain
MEAN, SPREAD = 0.449, 0.226  # of scaled intensities, those of ImageNet

Mask = NDArray[np.bool_]


def find_brain(image: Tensor, device: torch.device | str = "cpu") -> Mask | None:
    """Find the brain in a head by deepbet (Fisch et al. 2024, doi:10.1016/j.compbiomed.2024.108845).

    The same as ``deepbet.BrainExtraction`` with its defaults, without its other dependencies: a box around the brain
    is found, and in it the brain, of which the largest part is kept and filled.

    Args:
        image: ``(x, y, z)``, in RAS, any voxel size.
        device: where the network runs; 1.2 GB on a CPU.

    Returns:
        The mask ``(x, y, z)``, None where there is no brain.

    Raises:
        InputError: if deepbet is not installed, or its models are not those that are known.
    """
    values = image.as_subclass(Tensor).to(device, torch.float32)
    coarse = _sized(values, (COARSE,) * 3)
    low, high = coarse.quantile(RANGE[0]), coarse.quantile(RANGE[1])
    found = _largest(_apply(_load("bbox_model.pt"), coarse, low, high))
    if found is None:
        return None
    box = tuple(_extent(found, axis, size) for axis, size in enumerate(values.shape))
    probability = _apply(_load("model.pt"), _sized(values[box], (FINE,) * 3), low, high)
    brain = _largest(_sized(probability, values[box].shape))
    if brain is None:
        return None
    mask = np.zeros(values.shape, bool)
    mask[box] = binary_fill_holes(brain)
    return mask


def require_deepbet() -> None:
    """Check that deepbet is there, with the models that are known.

    Raises:
        InputError: if it is not.
    """
    for name in SHA256:
        _verified(name)


def _verified(name: str) -> Path:
    try:
        path = Path(str(distribution("deepbet").locate_file(f"data/models/{name}")))
        content = path.read_bytes()
    except (PackageNotFoundError, OSError) as error:
        remedy = "install it, pip install --no-deps deepbet==1.0.2, or give `mask`"
        raise InputError.at(
            "`brain_extraction`", "needs the package deepbet, which is not installed", remedy
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        remedy = "install the version that is known, pip install --no-deps deepbet==1.0.2"
        raise InputError.at(path, "is not the model of deepbet 1.0.2 (SHA-256 differs)", remedy)
    return path


@cache
def _load(name: str) -> nn.Module:
    """Load a model; TorchScript, of which nothing is unpickled."""
    model: nn.Module = torch.jit.load(str(_verified(name)), map_location="cpu")
    return model.eval()


def _apply(model: nn.Module, image: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return the probability of brain ``(x, y, z)``."""
    scaled = ((image - low) / (high - low)).clamp(0, 1)
    scaled = SPREAD * (scaled - scaled.mean()) / scaled.std() + MEAN
    with torch.inference_mode():
        return model.to(image.device)(scaled[None, None])[0, 1]


def _sized(image: Tensor, shape: tuple[int, ...] | torch.Size) -> Tensor:
    """Resample ``(x, y, z)`` to a shape by nearest neighbor."""
    return interpolate(image[None, None], tuple(shape), mode="nearest-exact")[0, 0]


def _largest(probability: Tensor) -> Mask | None:
    """Return the largest connected part of what is likely brain."""
    parts, n_parts = label(probability.cpu().numpy() > 0.5, np.ones((3, 3, 3)))
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]) if n_parts else None


def _extent(found: Mask, axis: int, size: int) -> slice:
    """Return where ``found`` lies along an axis of ``size`` voxels, with a margin."""
    shares = found.mean(axis=tuple({0, 1, 2} - {axis}))
    hit = np.flatnonzero(shares > IN_BOX)
    hit = hit if len(hit) else np.flatnonzero(shares)
    scale = size / found.shape[axis]
    center = round(scale * (hit[0] + hit[-1] + 1) / 2)
    extent = round(scale * (hit[-1] + 1 - hit[0]) * (1 + MARGIN))
    return slice(max(0, int(center - extent / 2)), min(size, int(center + extent / 2)))

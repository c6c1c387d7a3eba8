"""The mask within which phase is used: given, found by brain extraction, or where there is signal."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor

from ..datasets.echoes import Echoes
from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from ..operators.b0_direction import voxel_size_from_affine
from ..operators.phase.signal_mask import signal_mask, without_small_holes
from ..operators.phase.unwrapping import wrap
from .brain_extraction import extract_brain
from .brain_network import require_deepbet
from .mask_position import check_mask_belongs
from .volume_grids import resample_to

logger = logging.getLogger(__name__)


def head_mask(echoes: Echoes, phase: Tensor, given: str | Path | None, brain_extraction: bool) -> Tensor:
    """Return a mask ``(x, y, z)`` of the voxels whose phase is to be used, and of small holes among them.

    Args:
        echoes: of which the first magnitude shows the head.
        phase: rad, ``(n, x, y, z)``.
        given: path of a brain mask, or None.
        brain_extraction: find the brain by deepbet where none is given; else the largest part with signal, see
            :func:`signal_mask`.

    Raises:
        InputError: if a given mask does not fit or is empty, or no brain or signal is found.
    """
    magnitude = MetaTensor(echoes.magnitude[:1].clone(), meta=dict(echoes.first.meta))
    magnitude.affine = echoes.first.affine.clone()
    if given is not None:
        mask = read_volume(given, allow_constant=True)
        check_mask_belongs(mask, magnitude)
        found = resample_to(mask, magnitude, mode="nearest").as_tensor()[0] > 0
    elif brain_extraction:
        require_deepbet()
        found = extract_brain(magnitude).as_tensor()[0] > 0
    else:
        sizes = voxel_size_from_affine(echoes.first.affine.numpy()).tolist()
        combined = echoes.magnitude.square().mean(0).sqrt()
        found = torch.from_numpy(signal_mask(combined.numpy(), coherence(phase[0]), sizes))
    if not found.any():
        place = echoes.files[0] if given is None else given
        raise InputError.at(place, "no voxel of the head is in the mask", "give `mask` on the grid of the phase")
    return _filled(found & (echoes.magnitude > 0).all(0), echoes)


def _filled(mask: Tensor, echoes: Echoes) -> Tensor:
    sizes = voxel_size_from_affine(echoes.first.affine.numpy()).tolist()
    filled = torch.from_numpy(without_small_holes(mask.numpy(), sizes))
    if n_filled := int((filled & ~mask).sum()):
        logger.info("%s: %d voxels in small holes of its mask are filled", echoes.files[0], n_filled)
    return filled


def coherence(phase: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return how steadily phase (rad) ``(x, y, z)`` changes from voxel to voxel: 1 for a plane wave, near 0 for noise.

    One less the mean absolute second difference along the three axes over its mean for noise, pi / 2, at least 0.
    """
    total = torch.zeros_like(phase)
    for axis in range(3):
        change = wrap(phase.roll(-1, axis) - phase)
        total += wrap(change - change.roll(1, axis)).abs()
    smooth = torch.nn.functional.avg_pool3d((total / 3)[None, None], 3, 1, 1)[0, 0]
    return np.asarray((1 - smooth / (np.pi / 2)).clamp(min=0).numpy(), np.float32)

"""Phase without jumps of 2 pi: through space by scikit-image, from echo to echo by what earlier ones predict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from .lines import fit_line


def wrap(phase: Tensor) -> Tensor:
    """Return phase (rad) from -pi to pi."""
    return torch.remainder(phase + math.pi, 2 * math.pi) - math.pi


def unwrap_volume(phase: Tensor, mask: Tensor) -> Tensor:
    """Unwrap phase (rad) ``(x, y, z)`` within a mask; zero outside. Its median is nearest to zero.

    By sorting reliability in 3D, Abdul-Rahman et al. 2007, Appl Opt 46:6623, doi:10.1364/AO.46.006623, as scikit-image
    has it. Parts of the mask that do not touch are unwrapped by themselves, each with its median nearest to zero.
    """
    from skimage.restoration import unwrap_phase  # takes a second to import

    inside = mask.numpy() > 0
    masked: NDArray[np.floating] = np.ma.masked_array(phase.double().numpy(), ~inside)
    unwrapped = torch.from_numpy(np.ma.filled(unwrap_phase(masked, rng=0), 0.0)).to(phase.dtype)
    return (unwrapped - _turns_of_parts(unwrapped, mask)) * (mask > 0)


def unwrap_echoes(phase: Tensor, magnitude: Tensor, echo_times: Sequence[float], mask: Tensor) -> Tensor:
    """Unwrap the phase (rad) of echoes ``(n, x, y, z)`` such that it is a line of the time in each voxel of a mask.

    The first difference of echoes is unwrapped through space, as its wraps are few. Each further echo is that multiple
    of 2 pi away which is nearest to the line through those before it. With three or more echoes the first is left as it
    came: an offset of the line, which is fitted, takes its wraps. With fewer it is unwrapped through space, and the
    whole turns between the two are those of a line through zero, by the median.

    Args:
        phase: rad, in the order of the echo times.
        magnitude: of the same shape, which weights the lines.
        echo_times: s, ascending.
        mask: ``(x, y, z)``.
    """
    times = torch.tensor(echo_times, dtype=phase.dtype)
    if len(phase) == 1:
        return unwrap_volume(phase[0], mask)[None]
    step = unwrap_volume(wrap(phase[1] - phase[0]), mask)
    first = phase[0]
    if len(phase) == 2:
        first = unwrap_volume(phase[0], mask)
        line = step * (times[0] / (times[1] - times[0]))
        first = first - _turns_of_parts(first - line, mask)
    unwrapped = [first, first + step]
    for number in range(2, len(phase)):
        slope, offset = fit_line(torch.stack(unwrapped), magnitude[:number] ** 2, times[:number])
        predicted = offset + slope * times[number]
        unwrapped.append(phase[number] + _turns(predicted - phase[number]))
    return torch.stack(unwrapped) * (mask > 0)


def jumps(unwrapped: Tensor, mask: Tensor) -> Tensor:
    """Return the voxels in a mask beside which unwrapped phase (rad) ``(x, y, z)`` jumps by more than pi."""
    inside, found = mask > 0, torch.zeros_like(mask, dtype=torch.bool)
    for axis in range(3):
        n = unwrapped.shape[axis] - 1
        one, other = (unwrapped.narrow(axis, start, n) for start in (0, 1))
        both = inside.narrow(axis, 0, n) & inside.narrow(axis, 1, n)
        jump = ((one - other).abs() > math.pi) & both
        found.narrow(axis, 0, n).logical_or_(jump)
        found.narrow(axis, 1, n).logical_or_(jump)
    return found


def _turns(phase: Tensor) -> Tensor:
    """Return the multiple of 2 pi that is nearest."""
    return 2 * math.pi * torch.round(phase / (2 * math.pi))


def _turns_of_parts(phase: Tensor, mask: Tensor) -> Tensor:
    """Return the multiple of 2 pi nearest to the median of each part of a mask that hangs together, ``(x, y, z)``."""
    parts, n_parts = ndimage.label(mask.numpy() > 0)
    medians = ndimage.median(phase.numpy(), parts, range(1, n_parts + 1))
    return _turns(torch.tensor([0.0, *medians], dtype=phase.dtype))[torch.from_numpy(parts).long()]

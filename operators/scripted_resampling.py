"""The resampling of :mod:`.resampling` in TorchScript, which knows neither numpy nor scipy."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def resample_scripted(
    image: Tensor,
    size: list[int],
    method: str = "cubic",
    antialias: bool = False,
    step: float = 0.0,
    is_first_voxel: bool = False,
) -> Tensor:
    """Do what :func:`.resample_cubic` and :func:`.resample_spline` do; matrices are computed anew at each call.

    Args:
        image: such as ``(b, c, *spatial)``, real.
        size: output size of the last axes.
        method: ``"cubic"`` or ``"spline"``.
        antialias: see :func:`.resample_cubic`.
        step: see there; 0 for input size / output size.
        is_first_voxel: the grid is ``"first_voxel"``.

    Raises:
        ValueError: for another ``method``.
    """
    if method != "cubic" and method != "spline":
        raise ValueError(f"TorchScript resamples by cubic or spline, not by {method}")
    result = image.to(torch.promote_types(image.dtype, torch.float32))
    for index in range(len(size)):
        axis = index - len(size)
        n_in, n_out = image.shape[axis], size[index]
        distance = step if step > 0 else n_in / n_out
        if method == "spline":
            matrix = spline_weights(n_in, n_out)
        else:
            matrix = keys_weights(n_in, n_out, distance, antialias, 0.0 if is_first_voxel else 0.5)
        matrix = matrix.to(device=result.device, dtype=result.dtype)
        result = F.linear(result.movedim(axis, -1), matrix).movedim(-1, axis)
    return result.to(image.dtype)


def keys_weights(n_in: int, n_out: int, step: float, antialias: bool, shift: float) -> Tensor:
    """Return :func:`.keys_matrix` as a tensor, ``(n_out, n_in)``, float64."""
    width = max(step, 1.0) if antialias else 1.0
    reach = int(math.ceil(2 * width))  # noqa: RUF046 (in TorchScript, ceil gives a float)
    centers = (torch.arange(n_out, dtype=torch.float64) + shift) * step - shift
    taps = centers.floor()[:, None] + torch.arange(1 - reach, reach + 1, dtype=torch.float64)
    s = ((taps - centers[:, None]) / width).abs()
    near, far = (1.5 * s - 2.5) * s**2 + 1, ((2.5 - 0.5 * s) * s - 4) * s + 2
    weights = torch.where(s <= 1, near, torch.where(s < 2, far, torch.zeros_like(s)))
    matrix = torch.zeros(n_out, n_in, dtype=torch.float64)
    return matrix.scatter_add(1, taps.clamp(0, n_in - 1).long(), weights / weights.sum(1, keepdim=True))


def spline_weights(n_in: int, n_out: int, n_pad: int = 12) -> Tensor:
    """Return :func:`.spline_matrix` as a tensor, ``(n_out, n_in)``, float64.

    The border is repeated ``n_pad`` times, as in scipy, the coefficients of the B-spline are solved for, and the spline
    evaluated at the centers of the output's voxels.
    """
    n = n_in + 2 * n_pad
    bands = torch.ones(n - 1, dtype=torch.float64) / 6
    samples = torch.diag(torch.full((n,), 2 / 3, dtype=torch.float64)) + torch.diag(bands, 1) + torch.diag(bands, -1)
    samples[0, 0] += 1 / 6
    samples[-1, -1] += 1 / 6
    repeated = torch.zeros(n, n_in, dtype=torch.float64)
    repeated[torch.arange(n), (torch.arange(n) - n_pad).clamp(0, n_in - 1)] = 1.0
    coefficients = torch.linalg.solve(samples, repeated)
    centers = (torch.arange(n_out, dtype=torch.float64) + 0.5) * (n_in / n_out) - 0.5 + n_pad
    taps = centers.floor()[:, None] + torch.arange(-1, 3, dtype=torch.float64)
    s = (taps - centers[:, None]).abs()
    weights = torch.where(s < 1, 2 / 3 - s**2 + s**3 / 2, (2 - s).clamp(min=0) ** 3 / 6)
    spline = torch.zeros(n_out, n, dtype=torch.float64).scatter_add(1, taps.long(), weights)
    return spline @ coefficients

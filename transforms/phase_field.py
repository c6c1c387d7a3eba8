"""The local field of unwrapped echoes, and the numbers by which its quality is told."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..datasets.echoes import Echoes
from ..datasets.input_error import InputError
from ..operators.phase.background import NamedBackground
from ..operators.phase.echo_fit import WITH_OFFSET, EchoFit, fit_echoes
from ..operators.phase.echo_noise import high_pass_noise, noise_of_fit
from ..operators.phase.harmonic_filling import fill_harmonically
from ..operators.phase.signal_mask import without_bad_border
from ..operators.phase.unwrapping import jumps, unwrap_echoes

WORST_PHASE = 0.6  # rad, of the fit's residual or of noise, beyond which the border of a mask is worn
SMALLEST = 1000  # voxels


class FieldOfPhase(NamedTuple):
    """What became of the phase of a scan; volumes are ``(x, y, z)``, zero outside of their mask.

    Attributes:
        total: field with that of sources outside (Hz).
        local: field without (ppm).
        residual: of the fit over echoes (rad).
        noise: standard deviation of the field (ppm).
        mask: where the local field is known.
        wraps: share of voxels beside which phase still jumps.
        eroded: share of the first mask that was lost.
        median_residual: of the fit, within the mask (rad).
        median_noise: of the field, within the mask (ppm).
    """

    total: Tensor
    local: Tensor
    residual: Tensor
    noise: Tensor
    mask: Tensor
    wraps: float
    eroded: float
    median_residual: float
    median_noise: float


def field_of_phase(
    phase: Tensor,
    echoes: Echoes,
    mask: Tensor,
    background: NamedBackground,
    geometry: tuple[Tensor, Tensor],
    hz_per_ppm: float,
) -> FieldOfPhase:
    """Unwrap, fit, and remove the background.

    Args:
        phase: rad, ``(n, x, y, z)``.
        echoes: magnitude and times.
        mask: of the brain, ``(x, y, z)``.
        background: how its field is removed.
        geometry: voxel size (mm) and direction of B0 in voxel axes, ``(3,)`` each.
        hz_per_ppm: of the scanner.

    Raises:
        InputError: if hardly anything is left of the mask, or the numbers of ``background`` cannot be.
    """
    times, magnitude = echoes.echo_times, echoes.magnitude / echoes.magnitude.max().clamp(min=1e-37)
    known = (mask > 0) & (magnitude > 0).all(0)
    unwrapped = unwrap_echoes(phase, magnitude, times, known)
    fit = fit_echoes(unwrapped, magnitude, times)
    sigma = _noise(phase, fit, magnitude, known)
    first_phase_noise = sigma / magnitude.square().mean(0).sqrt().clamp(min=1e-30)
    jumping = jumps(unwrapped[1] - unwrapped[0] if len(times) > 1 else unwrapped[0], known)
    bad = (torch.maximum(fit.residual, first_phase_noise) > WORST_PHASE) | jumping | ~known
    good = torch.from_numpy(without_bad_border(mask.numpy() > 0, bad.numpy()))
    _require_some(good, echoes)
    noise = sigma * fit.sensitivity / hz_per_ppm
    weight = (fit.sensitivity[good].median() / fit.sensitivity).clamp(max=1) * ~bad
    field = fill_harmonically(fit.field, ~bad, good, geometry[0].tolist())
    total = (field - field[good].median()) / hz_per_ppm  # a constant is harmonic: less is lost by rounding
    try:
        inside = good[None, None].float()
        removed = background(total[None, None], inside, *geometry, weight[None, None], float(noise[good].median()))
    except ValueError as error:
        raise InputError.at("`background`", str(error), "choose other numbers") from error
    local, left = removed[0][0, 0], removed[1][0, 0]
    _require_some(left, echoes)
    return FieldOfPhase(
        field * good,
        local,
        fit.residual * good,
        noise.clamp(max=float(noise[good & known].max())) * left,
        left,
        float((jumping & left).sum()) / float(left.sum()),
        1 - float(left.sum()) / float((mask > 0).sum()),
        float(fit.residual[left].median()),
        float(noise[left].median()),
    )


def _noise(phase: Tensor, fit: EchoFit, magnitude: Tensor, mask: Tensor) -> float:
    """Return the noise in each part of the signal: of the residual where there are three echoes, else of the signal."""
    if len(phase) >= WITH_OFFSET:
        return noise_of_fit(fit.residual, magnitude, mask, len(phase) - 2)
    return high_pass_noise(phase, magnitude, mask)


def _require_some(mask: Tensor, echoes: Echoes) -> None:
    if int(mask.sum()) < min(SMALLEST, mask.numel() // 20):
        problem = f"{int(mask.sum())} voxels are left of the mask after its border"
        remedy = "give `mask`, check `echo_time`, or choose another `background`"
        raise InputError.at(echoes.files[0], problem, remedy)

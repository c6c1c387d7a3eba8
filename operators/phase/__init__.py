"""From the phase of gradient echoes to the local field: scaling, unwrapping, fit over echoes, mask, background."""

from .background import BACKGROUNDS, NamedBackground
from .echo_fit import EchoFit, fit_echoes
from .echo_noise import high_pass_noise, noise_of_fit
from .harmonic_filling import fill_harmonically
from .projection import project_onto_dipoles
from .scaling import PhaseScale, phase_scale
from .signal_mask import signal_mask, without_bad_border, without_small_holes
from .single_step import single_step
from .spherical_mean import SphericalMean, sphere
from .unwrapping import jumps, unwrap_echoes, unwrap_volume, wrap
from .vsharp import vsharp

__all__ = [
    "BACKGROUNDS",
    "EchoFit",
    "NamedBackground",
    "PhaseScale",
    "SphericalMean",
    "fill_harmonically",
    "fit_echoes",
    "high_pass_noise",
    "jumps",
    "noise_of_fit",
    "phase_scale",
    "project_onto_dipoles",
    "signal_mask",
    "single_step",
    "sphere",
    "unwrap_echoes",
    "unwrap_volume",
    "vsharp",
    "without_bad_border",
    "without_small_holes",
    "wrap",
]

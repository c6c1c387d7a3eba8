"""Masks by their names, with center fractions that fit the acceleration."""

from __future__ import annotations

from collections.abc import Sequence

from monai.utils import ensure_tuple, ensure_tuple_rep

from ...datasets.input_error import InputError
from .equispaced_mask import EquispacedMask
from .gaussian_mask import GaussianMask
from .kspace_mask import KspaceMask
from .poisson_disk_mask import PoissonDiskMask
from .radial_mask import RadialMask
from .random_mask import RandomMask
from .spiral_mask import SpiralMask
from .uniform_mask import UniformMask

MASKS: dict[str, type[KspaceMask]] = {
    "random": RandomMask,
    "uniform": UniformMask,
    "equispaced": EquispacedMask,
    "radial": RadialMask,
    "spiral": SpiralMask,
    "gaussian": GaussianMask,
    "poisson": PoissonDiskMask,
}
CENTER_SHARES = {"radial": 0.0, "spiral": 0.0, "gaussian": 0.08, "poisson": 0.08}
COLUMN_CENTER_SHARE = 0.32  # of the sampled columns: fastMRI's 8 % at 4 times, 4 % at 8 times


def mask_by_name(
    name: str, acceleration: float | Sequence[float] = 4.0, center_fraction: float | Sequence[float] | None = None
) -> KspaceMask:
    """Make the mask ``name``.

    Args:
        name: ``random``, ``uniform`` and ``equispaced`` for columns; ``radial``, ``spiral``, ``gaussian`` and
            ``poisson`` for samples.
        acceleration: see :class:`KspaceMask`.
        center_fraction: see :class:`KspaceMask`. By default ``0.32 / acceleration`` for columns, as fastMRI has it at
            4 and 8 times; none for lines and spirals, which meet in the center; ``0.08 / acceleration`` for others.

    Raises:
        InputError: for an unknown name.
        ValueError: as in :class:`KspaceMask`.
    """
    if name not in MASKS:
        raise InputError.at(f"`mask` {name}", "is no way to sample k-space", f"choose one of {', '.join(MASKS)}")
    accelerations = ensure_tuple(acceleration)
    share = CENTER_SHARES.get(name, COLUMN_CENTER_SHARE)
    fractions = [share / factor for factor in accelerations] if center_fraction is None else center_fraction
    return MASKS[name](accelerations, ensure_tuple_rep(fractions, len(accelerations)))


def mask_mixture(names: Sequence[str], accelerations: Sequence[float]) -> list[KspaceMask]:
    """Make one mask of each name, every one at any of ``accelerations``; arguments of :func:`mask_by_name`."""
    return [mask_by_name(name, accelerations) for name in names]

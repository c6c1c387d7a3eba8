from .contrast_mix import RandContrastMix, RandContrastMixd
from .contrasts import ApplyBrainMaskd, LoadContrastsd, LoadLabeld
from .derivatives import SaveDerivatived
from .registration import RigidMotion, register_rigid
from .signal import (
    inversion_recovery_spin_echo,
    nulling_inversion_time,
    spin_echo,
    spoiled_gradient_echo,
)

__all__ = [
    "ApplyBrainMaskd",
    "LoadContrastsd",
    "LoadLabeld",
    "RandContrastMix",
    "RandContrastMixd",
    "RigidMotion",
    "SaveDerivatived",
    "inversion_recovery_spin_echo",
    "nulling_inversion_time",
    "register_rigid",
    "spin_echo",
    "spoiled_gradient_echo",
]

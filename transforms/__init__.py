from .b0_direction import b0_direction_from_affine, voxel_size_from_affine
from .contrast_mix import RandContrastMix, RandContrastMixd
from .contrasts import ApplyBrainMaskd, LoadContrastsd, LoadLabeld
from .cosmos import cosmos
from .cuboid_dipole import dipole_kernel_from_image_space
from .derivatives import SaveDerivatived
from .dipole import dipole_kernel
from .dipole_convolution import DipoleConvolution
from .dipole_field import DipoleField, DipoleFieldd
from .field_noise import RandFieldNoise, RandFieldNoised
from .field_units import ConvertFieldUnit, ConvertFieldUnitd, convert_field, units_per_ppm
from .low_resolution import SimulateLowResolution, SimulateLowResolutiond, scaled_affine
from .ppm_check import CheckIsPpm, CheckIsPpmd, check_is_ppm
from .registration import RigidMotion, register_rigid
from .resampling import resample_cubic, resample_spline
from .rotation import RandRotateWithFieldd
from .signal import (
    inversion_recovery_spin_echo,
    nulling_inversion_time,
    spin_echo,
    spoiled_gradient_echo,
)

__all__ = [
    "ApplyBrainMaskd",
    "CheckIsPpm",
    "CheckIsPpmd",
    "ConvertFieldUnit",
    "ConvertFieldUnitd",
    "DipoleConvolution",
    "DipoleField",
    "DipoleFieldd",
    "LoadContrastsd",
    "LoadLabeld",
    "RandContrastMix",
    "RandContrastMixd",
    "RandFieldNoise",
    "RandFieldNoised",
    "RandRotateWithFieldd",
    "RigidMotion",
    "SaveDerivatived",
    "SimulateLowResolution",
    "SimulateLowResolutiond",
    "b0_direction_from_affine",
    "check_is_ppm",
    "convert_field",
    "cosmos",
    "dipole_kernel",
    "dipole_kernel_from_image_space",
    "inversion_recovery_spin_echo",
    "nulling_inversion_time",
    "register_rigid",
    "resample_cubic",
    "resample_spline",
    "scaled_affine",
    "spin_echo",
    "spoiled_gradient_echo",
    "units_per_ppm",
    "voxel_size_from_affine",
]

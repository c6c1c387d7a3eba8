from .b0_direction import b0_direction_from_affine, voxel_size_from_affine
from .coil_combination import CombineCoils, CombineCoilsd
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
from .finer_derivatives import SaveFinerDerivatived
from .foreground import ForegroundMaskFromImaged
from .fourier import FourierTransform, FourierTransformd, image_to_kspace, kspace_to_image
from .intensity_range import RestoreIntensityRanged, ScaleToUnitRanged
from .low_resolution import SimulateLowResolution, SimulateLowResolutiond, scaled_affine
from .magnitude_scaling import ScaleMagnitude, ScaleMagnituded
from .masks import (
    EquispacedMask,
    GaussianMask,
    KspaceMask,
    PoissonDiskMask,
    RadialMask,
    RandomMask,
    SpiralMask,
    UniformMask,
)
from .paired_patches import RandPairedPatchesd
from .ppm_check import CheckIsPpm, CheckIsPpmd, check_is_ppm
from .registration import RigidMotion, register_rigid
from .resampling import resample_cubic, resample_deconvolved, resample_spline
from .rician_noise import RicianNoise, RicianNoised
from .rotation import RandRotateWithFieldd
from .signal import (
    inversion_recovery_spin_echo,
    nulling_inversion_time,
    spin_echo,
    spoiled_gradient_echo,
)
from .smooth_phase import RandSmoothPhase, RandSmoothPhased
from .undersampling import UndersampleKspace, UndersampleKspaced, shift_mask, undersample_image
from .zero_filling import ZeroFilled, ZeroFilledd

__all__ = [
    "ApplyBrainMaskd",
    "CheckIsPpm",
    "CheckIsPpmd",
    "CombineCoils",
    "CombineCoilsd",
    "ConvertFieldUnit",
    "ConvertFieldUnitd",
    "DipoleConvolution",
    "DipoleField",
    "DipoleFieldd",
    "EquispacedMask",
    "ForegroundMaskFromImaged",
    "FourierTransform",
    "FourierTransformd",
    "GaussianMask",
    "KspaceMask",
    "LoadContrastsd",
    "LoadLabeld",
    "PoissonDiskMask",
    "RadialMask",
    "RandContrastMix",
    "RandContrastMixd",
    "RandFieldNoise",
    "RandFieldNoised",
    "RandPairedPatchesd",
    "RandRotateWithFieldd",
    "RandSmoothPhase",
    "RandSmoothPhased",
    "RandomMask",
    "RestoreIntensityRanged",
    "RicianNoise",
    "RicianNoised",
    "RigidMotion",
    "SaveDerivatived",
    "SaveFinerDerivatived",
    "ScaleMagnitude",
    "ScaleMagnituded",
    "ScaleToUnitRanged",
    "SimulateLowResolution",
    "SimulateLowResolutiond",
    "SpiralMask",
    "UndersampleKspace",
    "UndersampleKspaced",
    "UniformMask",
    "ZeroFilled",
    "ZeroFilledd",
    "b0_direction_from_affine",
    "check_is_ppm",
    "convert_field",
    "cosmos",
    "dipole_kernel",
    "dipole_kernel_from_image_space",
    "image_to_kspace",
    "inversion_recovery_spin_echo",
    "kspace_to_image",
    "nulling_inversion_time",
    "register_rigid",
    "resample_cubic",
    "resample_deconvolved",
    "resample_spline",
    "scaled_affine",
    "shift_mask",
    "spin_echo",
    "spoiled_gradient_echo",
    "undersample_image",
    "units_per_ppm",
    "voxel_size_from_affine",
]

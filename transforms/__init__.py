from .b0_direction import b0_direction_from_affine, voxel_size_from_affine
from .coil_combination import CombineCoils, CombineCoilsd
from .coil_maps import low_resolution_coil_maps
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
from .fourier import FourierTransform, FourierTransformd, image_to_kspace, kspace_to_image
from .kspace_simulation import SimulateKspaced
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
    mask_by_name,
    mask_mixture,
)
from .measured_kspace import LoadGuidedKspaced
from .ppm_check import CheckIsPpm, CheckIsPpmd, check_is_ppm
from .registration import RigidMotion, register_rigid
from .resampling import resample_cubic, resample_spline
from .rician_noise import RicianNoise, RicianNoised
from .rotation import RandRotateWithFieldd
from .signal import (
    inversion_recovery_spin_echo,
    nulling_inversion_time,
    spin_echo,
    spoiled_gradient_echo,
)
from .slices import FromSlicesd, RandSlicesd, SpreadSlicesd, ToSlicesd
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
    "FourierTransform",
    "FourierTransformd",
    "FromSlicesd",
    "GaussianMask",
    "KspaceMask",
    "LoadContrastsd",
    "LoadGuidedKspaced",
    "LoadLabeld",
    "PoissonDiskMask",
    "RadialMask",
    "RandContrastMix",
    "RandContrastMixd",
    "RandFieldNoise",
    "RandFieldNoised",
    "RandRotateWithFieldd",
    "RandSlicesd",
    "RandSmoothPhase",
    "RandSmoothPhased",
    "RandomMask",
    "RicianNoise",
    "RicianNoised",
    "RigidMotion",
    "SaveDerivatived",
    "ScaleMagnitude",
    "ScaleMagnituded",
    "SimulateKspaced",
    "SimulateLowResolution",
    "SimulateLowResolutiond",
    "SpiralMask",
    "SpreadSlicesd",
    "ToSlicesd",
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
    "low_resolution_coil_maps",
    "mask_by_name",
    "mask_mixture",
    "nulling_inversion_time",
    "register_rigid",
    "resample_cubic",
    "resample_spline",
    "scaled_affine",
    "shift_mask",
    "spin_echo",
    "spoiled_gradient_echo",
    "undersample_image",
    "units_per_ppm",
    "voxel_size_from_affine",
]

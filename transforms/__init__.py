from .b0_direction import b0_direction_from_affine, voxel_size_from_affine
from .coil_combination import CombineCoils, CombineCoilsd
from .coil_maps import low_resolution_coil_maps
from .compressed_sensing import CompressedSensingKspace, CompressedSensingKspaced
from .contrast_mix import RandContrastMix, RandContrastMixd
from .contrast_scaling import ScaleContrasts, ScaleContrastsd
from .contrasts import ApplyBrainMaskd, LoadContrastsd, LoadLabeld
from .cosmos import cosmos
from .cuboid_dipole import dipole_kernel_from_image_space
from .derivatives import SaveDerivatived
from .dipole import dipole_kernel
from .dipole_convolution import DipoleConvolution
from .dipole_field import DipoleField, DipoleFieldd
from .field_consistency import AgreeWithFieldd, agree_with_field
from .field_inversion import AppendInversiond, SubtractMaskedMeand
from .field_noise import RandFieldNoise, RandFieldNoised
from .field_units import ConvertFieldUnit, ConvertFieldUnitd, convert_field, units_per_ppm
from .fine_contrasts import LoadFineContrastsd
from .finer_derivatives import SaveFinerDerivatived
from .foreground import ForegroundMaskFromImaged
from .fourier import FourierTransform, FourierTransformd, image_to_kspace, kspace_to_image
from .handed_over import ConcatInputsd, HandOverd, OwnKeysSpacingd
from .intensity_range import RestoreIntensityRanged, ScaleToUnitRanged
from .kspace_simulation import SimulateKspaced
from .kspace_truncation import (
    TruncateKspace,
    TruncateKspaced,
    coarse_size,
    first_voxel_affine,
    invert_truncation,
    low_resolution_of,
    truncate_kspace,
    zero_fill_kspace,
)
from .lesion_borders import GrowLesionsd, grow_to_half_maximum
from .local_field import LoadLocalFieldd, LoadMapd
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
from .non_local_means import non_local_means
from .paired_patches import RandPairedPatchesd
from .ppm_check import CheckIsPpm, CheckIsPpmd, check_is_ppm
from .regions import LoadRegionsd
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
from .slices import FromSlicesd, RandSlicesd, SpreadSlicesd, ToSlicesd
from .slices_last import SlicesLast, SlicesLastd, slice_axis
from .smooth_phase import RandSmoothPhase, RandSmoothPhased
from .susceptibility_file import SaveSusceptibilityd
from .undersampling import UndersampleKspace, UndersampleKspaced, shift_mask, undersample_image
from .white_matter_lesions import KeepWhiteMatterLesionsd, keep_white_matter_lesions
from .zero_filled_resolution import (
    AgreeWithLowResolutiond,
    RandLowerResolutiond,
    agree_with_low_resolution,
    lower_resolution,
)
from .zero_filling import ZeroFilled, ZeroFilledd

__all__ = [
    "AgreeWithFieldd",
    "AgreeWithLowResolutiond",
    "AppendInversiond",
    "ApplyBrainMaskd",
    "CheckIsPpm",
    "CheckIsPpmd",
    "CombineCoils",
    "CombineCoilsd",
    "CompressedSensingKspace",
    "CompressedSensingKspaced",
    "ConcatInputsd",
    "ConvertFieldUnit",
    "ConvertFieldUnitd",
    "DipoleConvolution",
    "DipoleField",
    "DipoleFieldd",
    "EquispacedMask",
    "ForegroundMaskFromImaged",
    "FourierTransform",
    "FourierTransformd",
    "FromSlicesd",
    "GaussianMask",
    "GrowLesionsd",
    "HandOverd",
    "KeepWhiteMatterLesionsd",
    "KspaceMask",
    "LoadContrastsd",
    "LoadFineContrastsd",
    "LoadGuidedKspaced",
    "LoadLabeld",
    "LoadLocalFieldd",
    "LoadMapd",
    "LoadRegionsd",
    "OwnKeysSpacingd",
    "PoissonDiskMask",
    "RadialMask",
    "RandContrastMix",
    "RandContrastMixd",
    "RandFieldNoise",
    "RandFieldNoised",
    "RandLowerResolutiond",
    "RandPairedPatchesd",
    "RandRotateWithFieldd",
    "RandSlicesd",
    "RandSmoothPhase",
    "RandSmoothPhased",
    "RandomMask",
    "RestoreIntensityRanged",
    "RicianNoise",
    "RicianNoised",
    "RigidMotion",
    "SaveDerivatived",
    "SaveFinerDerivatived",
    "SaveSusceptibilityd",
    "ScaleContrasts",
    "ScaleContrastsd",
    "ScaleMagnitude",
    "ScaleMagnituded",
    "ScaleToUnitRanged",
    "SimulateKspaced",
    "SimulateLowResolution",
    "SimulateLowResolutiond",
    "SlicesLast",
    "SlicesLastd",
    "SpiralMask",
    "SpreadSlicesd",
    "SubtractMaskedMeand",
    "ToSlicesd",
    "TruncateKspace",
    "TruncateKspaced",
    "UndersampleKspace",
    "UndersampleKspaced",
    "UniformMask",
    "ZeroFilled",
    "ZeroFilledd",
    "agree_with_field",
    "agree_with_low_resolution",
    "b0_direction_from_affine",
    "check_is_ppm",
    "coarse_size",
    "convert_field",
    "cosmos",
    "dipole_kernel",
    "dipole_kernel_from_image_space",
    "first_voxel_affine",
    "grow_to_half_maximum",
    "image_to_kspace",
    "inversion_recovery_spin_echo",
    "invert_truncation",
    "keep_white_matter_lesions",
    "kspace_to_image",
    "low_resolution_coil_maps",
    "low_resolution_of",
    "lower_resolution",
    "mask_by_name",
    "mask_mixture",
    "non_local_means",
    "nulling_inversion_time",
    "register_rigid",
    "resample_cubic",
    "resample_deconvolved",
    "resample_spline",
    "scaled_affine",
    "shift_mask",
    "slice_axis",
    "spin_echo",
    "spoiled_gradient_echo",
    "truncate_kspace",
    "undersample_image",
    "units_per_ppm",
    "voxel_size_from_affine",
    "zero_fill_kspace",
]

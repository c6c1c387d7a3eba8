from .b0_direction import Vector, b0_direction_from_affine, unit_vectors, voxel_size_from_affine
from .coil_combination import combine_coils, zero_filled_image
from .coil_maps import low_resolution_coil_maps
from .compressed_sensing import CompressedSensingKspace
from .cuboid_dipole import dipole_kernel_from_image_space
from .dipole import dipole_kernel, filter_kspace, padded_shape
from .dipole_convolution import DipoleConvolution
from .field_consistency import agree_with_field
from .field_units import convert_field, units_per_ppm
from .fourier import AXES, Norm, image_to_kspace, kspace_to_image
from .grids import first_voxel_affine, scaled_affine
from .kspace_truncation import coarse_size, invert_truncation, low_resolution_of, truncate_kspace, zero_fill_kspace
from .non_local_means import non_local_means
from .resampling import resample_cubic, resample_deconvolved, resample_spline
from .slice_axis import slice_axis
from .undersampling import shift_mask, undersample_image
from .zero_filled_resolution import agree_with_low_resolution, lower_resolution

__all__ = [
    "AXES",
    "CompressedSensingKspace",
    "DipoleConvolution",
    "Norm",
    "Vector",
    "agree_with_field",
    "agree_with_low_resolution",
    "b0_direction_from_affine",
    "coarse_size",
    "combine_coils",
    "convert_field",
    "dipole_kernel",
    "dipole_kernel_from_image_space",
    "filter_kspace",
    "first_voxel_affine",
    "image_to_kspace",
    "invert_truncation",
    "kspace_to_image",
    "low_resolution_coil_maps",
    "low_resolution_of",
    "lower_resolution",
    "non_local_means",
    "padded_shape",
    "resample_cubic",
    "resample_deconvolved",
    "resample_spline",
    "scaled_affine",
    "shift_mask",
    "slice_axis",
    "truncate_kspace",
    "undersample_image",
    "unit_vectors",
    "units_per_ppm",
    "voxel_size_from_affine",
    "zero_fill_kspace",
    "zero_filled_image",
]

"""Physics as operators.

What is linear is a :class:`LinearOperator`: ``A(x)``, ``A.H(y)`` with ``<A x, y> = <x, A.H y>``, ``A @ B``, ``A + B``,
``2 * A``, ``A.gram``, and :func:`conjugate_gradient` inverts any of them. A scan reads like its equation::

    scan = Sampling(mask) @ Fourier() @ Coils(coil_maps)
    image = conjugate_gradient(scan, kspace, damping=0.01)

Plain functions are what operators are made of, and what networks call. Shapes, units and conventions stand in each
docstring: k-space is centered and orthonormal, susceptibility and field are in ppm, lengths in mm.
"""

from .b0_direction import Vector, b0_direction_from_affine, unit_vectors, voxel_size_from_affine
from .coil_maps import low_resolution_coil_maps
from .coils import Coils, combine_coils, zero_filled_image
from .compressed_sensing import CompressedSensingSolver
from .conjugate_gradient import conjugate_gradient
from .cuboid_dipole import dipole_kernel_from_image_space
from .dipole import dipole_kernel, filter_kspace, padded_shape
from .dipole_convolution import DipoleConvolution
from .espirit import compress_coils, espirit_maps
from .field_consistency import agree_with_field
from .field_noise import estimate_field_noise, noise_from_magnitude
from .field_units import units_per_ppm
from .fourier import AXES, Fourier, Norm, image_to_kspace, kspace_to_image
from .gradient import Gradient, volume_gradient
from .grids import first_voxel_affine, scaled_affine
from .kspace_noise import estimate_kspace_noise
from .kspace_support import kspace_support
from .kspace_truncation import Truncation, coarse_size, low_resolution_of, truncate_kspace, zero_fill_kspace
from .linear_operator import Diagonal, Identity, LinearOperator, Map, Sampling
from .multi_coil import agree_with_coils, multi_coil_total_variation
from .non_local_means import non_local_means
from .resampling import Resampling, resample_cubic, resample_deconvolved, resample_spline
from .slice_axis import slice_axis
from .undersampling import Undersampling, shift_mask, undersample_image
from .zero_filled_resolution import agree_with_low_resolution, lower_resolution

__all__ = [
    "AXES",
    "Coils",
    "CompressedSensingSolver",
    "Diagonal",
    "DipoleConvolution",
    "Fourier",
    "Gradient",
    "Identity",
    "LinearOperator",
    "Map",
    "Norm",
    "Resampling",
    "Sampling",
    "Truncation",
    "Undersampling",
    "Vector",
    "agree_with_coils",
    "agree_with_field",
    "agree_with_low_resolution",
    "b0_direction_from_affine",
    "coarse_size",
    "combine_coils",
    "compress_coils",
    "conjugate_gradient",
    "dipole_kernel",
    "dipole_kernel_from_image_space",
    "espirit_maps",
    "estimate_field_noise",
    "estimate_kspace_noise",
    "filter_kspace",
    "first_voxel_affine",
    "image_to_kspace",
    "kspace_support",
    "kspace_to_image",
    "low_resolution_coil_maps",
    "low_resolution_of",
    "lower_resolution",
    "multi_coil_total_variation",
    "noise_from_magnitude",
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
    "volume_gradient",
    "voxel_size_from_affine",
    "zero_fill_kspace",
    "zero_filled_image",
]

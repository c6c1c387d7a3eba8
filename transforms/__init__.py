from .brain_extraction import ExtractBraind, WarnOfSkulld, extract_brain
from .bright_gray_matter import RandBrightGrayMatterd
from .coil_samples import AgreeWithCoilsd
from .compressed_sensing import CompressedSensingKspaced
from .contrast_mix import RandContrastMix, RandContrastMixd
from .crop_kspace import CropKspace, CropKspaced
from .drop_contrasts import RandDropContrasts, RandDropContrastsd
from .field_consistency import AgreeWithFieldd
from .field_error import AppendFieldErrord
from .field_inversion import AppendInversiond, SubtractMaskedMeand
from .field_noise import RandFieldNoise
from .foreground import ForegroundMaskFromImaged
from .fourier import FourierTransform, FourierTransformd
from .intensity_range import RestoreIntensityRanged, ScaleToUnitRanged
from .kspace_noise import KspaceNoised
from .kspace_support import KspaceSupportd
from .kspace_truncation import TruncateKspace, TruncateKspaced
from .lesion_borders import GrowLesionsd, grow_to_half_maximum
from .lesion_shares import BalanceLesionIndicesd
from .load_contrasts import LoadContrastsd
from .load_fine_contrasts import LoadFineContrastsd
from .load_guided_kspace import LoadGuidedKspaced
from .load_local_field import LoadLocalFieldd, LoadMapd
from .load_masks import ApplyBrainMaskd, LoadLabeld
from .load_phase import LoadPhased
from .load_regions import LoadRegionsd
from .low_resolution import SimulateLowResolution, SimulateLowResolutiond
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
from .monai_label import ConcatInputsd, HandOverd, OwnKeysSpacingd
from .monai_label_answers import AnsweringCompose
from .overshoot import LimitOvershootd
from .paired_patches import RandPairedPatchesd
from .ppm_check import check_is_ppm
from .quantile_scaling import ScaleByQuantile, ScaleByQuantiled
from .reference_region import ReferToRegiond
from .registration import register_rigid
from .rician_noise import RicianNoise, RicianNoised
from .rigid_motion import RigidMotion
from .rotation import RandRotateWithFieldd
from .save_derivative import SaveDerivatived
from .save_finer_derivative import SaveFinerDerivatived
from .save_stages import SaveStagesd
from .save_susceptibility import SaveSusceptibilityd
from .shared_random_state import SharedRandomState
from .skull import SkullSigns, shows_skull, skull_signs
from .slices import FromSlicesd, RandSlicesd, SpreadSlicesd, ToSlicesd
from .slices_last import SlicesLast, SlicesLastd
from .small_lesions import DropSmallLesionsd, drop_small_lesions
from .smooth_phase import RandSmoothPhase, RandSmoothPhased
from .temperature import DivideByTemperatured, divide_by_temperature
from .undersampling import UndersampleKspace, UndersampleKspaced
from .zero_filled_resolution import AgreeWithLowResolutiond, RandLowerResolutiond
from .zero_filling import ZeroFilledd

__all__ = [
    "AgreeWithCoilsd",
    "AgreeWithFieldd",
    "AgreeWithLowResolutiond",
    "AnsweringCompose",
    "AppendFieldErrord",
    "AppendInversiond",
    "ApplyBrainMaskd",
    "BalanceLesionIndicesd",
    "CompressedSensingKspaced",
    "ConcatInputsd",
    "CropKspace",
    "CropKspaced",
    "DivideByTemperatured",
    "DropSmallLesionsd",
    "EquispacedMask",
    "ExtractBraind",
    "ForegroundMaskFromImaged",
    "FourierTransform",
    "FourierTransformd",
    "FromSlicesd",
    "GaussianMask",
    "GrowLesionsd",
    "HandOverd",
    "KspaceMask",
    "KspaceNoised",
    "KspaceSupportd",
    "LimitOvershootd",
    "LoadContrastsd",
    "LoadFineContrastsd",
    "LoadGuidedKspaced",
    "LoadLabeld",
    "LoadLocalFieldd",
    "LoadMapd",
    "LoadPhased",
    "LoadRegionsd",
    "OwnKeysSpacingd",
    "PoissonDiskMask",
    "RadialMask",
    "RandBrightGrayMatterd",
    "RandContrastMix",
    "RandContrastMixd",
    "RandDropContrasts",
    "RandDropContrastsd",
    "RandFieldNoise",
    "RandLowerResolutiond",
    "RandPairedPatchesd",
    "RandRotateWithFieldd",
    "RandSlicesd",
    "RandSmoothPhase",
    "RandSmoothPhased",
    "RandomMask",
    "ReferToRegiond",
    "RestoreIntensityRanged",
    "RicianNoise",
    "RicianNoised",
    "RigidMotion",
    "SaveDerivatived",
    "SaveFinerDerivatived",
    "SaveStagesd",
    "SaveSusceptibilityd",
    "ScaleByQuantile",
    "ScaleByQuantiled",
    "ScaleToUnitRanged",
    "SharedRandomState",
    "SimulateLowResolution",
    "SimulateLowResolutiond",
    "SkullSigns",
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
    "WarnOfSkulld",
    "ZeroFilledd",
    "check_is_ppm",
    "divide_by_temperature",
    "drop_small_lesions",
    "extract_brain",
    "grow_to_half_maximum",
    "mask_by_name",
    "mask_mixture",
    "register_rigid",
    "shows_skull",
    "skull_signs",
]

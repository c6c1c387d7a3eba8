from .calibration import LogitCounts, Reliability, fit_temperature, reliability, tempered
from .image_quality import SuperResolutionMetrics, psnr, ssim
from .lesion_error import LesionError
from .lesion_matching import match_lesions
from .lesion_rates import LesionMatch, size_table
from .lesions import LesionMetrics
from .named_columns import NamedColumnsMetric
from .reconstruction import ReconstructionMetrics, normalized_mean_square_error, reference_psnr, reference_ssim
from .summary import PairedDifference, paired_bootstrap, summarize
from .susceptibility import RegionErrors, SusceptibilityMetrics
from .susceptibility_error import demeaned_error, high_frequency_error, region_errors, root_mean_square_error
from .susceptibility_similarity import challenge_psnr, challenge_ssim, xsim
from .susceptibility_spectrum import MAGIC_ANGLE, angle_edges, errors_by_angle

__all__ = [
    "MAGIC_ANGLE",
    "LesionError",
    "LesionMatch",
    "LesionMetrics",
    "LogitCounts",
    "NamedColumnsMetric",
    "PairedDifference",
    "ReconstructionMetrics",
    "RegionErrors",
    "Reliability",
    "SuperResolutionMetrics",
    "SusceptibilityMetrics",
    "angle_edges",
    "challenge_psnr",
    "challenge_ssim",
    "demeaned_error",
    "errors_by_angle",
    "fit_temperature",
    "high_frequency_error",
    "match_lesions",
    "normalized_mean_square_error",
    "paired_bootstrap",
    "psnr",
    "reference_psnr",
    "reference_ssim",
    "region_errors",
    "reliability",
    "root_mean_square_error",
    "size_table",
    "ssim",
    "summarize",
    "tempered",
    "xsim",
]

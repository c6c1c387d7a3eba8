from .equispaced_mask import EquispacedMask
from .gaussian_mask import GaussianMask
from .kspace_mask import KspaceMask
from .mask_by_name import MASKS, mask_by_name, mask_mixture
from .poisson_disk_mask import PoissonDiskMask
from .radial_mask import RadialMask
from .random_mask import RandomMask
from .spiral_mask import SpiralMask
from .uniform_mask import UniformMask

__all__ = [
    "MASKS",
    "EquispacedMask",
    "GaussianMask",
    "KspaceMask",
    "PoissonDiskMask",
    "RadialMask",
    "RandomMask",
    "SpiralMask",
    "UniformMask",
    "mask_by_name",
    "mask_mixture",
]

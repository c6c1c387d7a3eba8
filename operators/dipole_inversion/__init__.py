from .least_squares import cgls
from .noise_weighting import weight_for_noise, weight_of_data
from .solvers import SOLVERS, NamedSolver
from .thresholding import tkd
from .tikhonov import tikhonov
from .total_variation import total_variation

__all__ = ["SOLVERS", "NamedSolver", "cgls", "tikhonov", "tkd", "total_variation", "weight_for_noise", "weight_of_data"]

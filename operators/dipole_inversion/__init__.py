from .least_squares import cgls
from .solvers import SOLVERS, NamedSolver
from .thresholding import tkd
from .tikhonov import tikhonov
from .total_variation import total_variation

__all__ = ["SOLVERS", "NamedSolver", "cgls", "tikhonov", "tkd", "total_variation"]

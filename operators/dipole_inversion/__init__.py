from .conjugate_gradient import cgls
from .cosmos import cosmos
from .edge_mask import edge_mask
from .solvers import SOLVERS, NamedSolver
from .thresholding import tkd, tsvd
from .tikhonov import tikhonov
from .total_variation import total_variation

__all__ = ["SOLVERS", "NamedSolver", "cgls", "cosmos", "edge_mask", "tikhonov", "tkd", "total_variation", "tsvd"]

from .correction import CorrectionLoss
from .dipole_model import ModelLoss
from .dual_domain import DualDomainLoss, RecurrentDualDomainLoss
from .gradient import GradientLoss
from .guided_super_resolution import GuidedSuperResolutionLoss
from .qsm import QSMLoss
from .reconstruction_target import GuidedReconstructionLoss
from .regularized_l1 import RegularizedL1Loss

__all__ = [
    "CorrectionLoss",
    "DualDomainLoss",
    "GradientLoss",
    "GuidedReconstructionLoss",
    "GuidedSuperResolutionLoss",
    "ModelLoss",
    "QSMLoss",
    "RecurrentDualDomainLoss",
    "RegularizedL1Loss",
]

from .dipole_model import ModelLoss
from .gradient import GradientLoss
from .qsm import QSMLoss
from .regularized_l1 import RegularizedL1Loss

__all__ = ["GradientLoss", "ModelLoss", "QSMLoss", "RegularizedL1Loss"]

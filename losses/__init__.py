from .dipole_model import ModelLoss
from .gradient import GradientLoss
from .qsm import QSMLoss

__all__ = ["GradientLoss", "ModelLoss", "QSMLoss"]

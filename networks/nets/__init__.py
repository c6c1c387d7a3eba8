from .dipole_solvers import DipoleSolver
from .fanet import FANet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .qsm_unet import QSMUNet
from .qsmnet import FAQSMNet, QSMNet
from .unet3d import UNet3D

__all__ = ["DipoleSolver", "FANet", "FAQSMNet", "FLAIRThreshold", "QSMNet", "QSMUNet", "UNet3D", "fit_threshold"]

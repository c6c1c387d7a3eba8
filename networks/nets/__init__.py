from .agnet import AGNet
from .cftn import CFTN
from .danet import DANet
from .dipole_solvers import DipoleSolver
from .fanet import FANet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .interpolation import Interpolation
from .non_local_unet import NonLocalUNet
from .qsm_unet import QSMUNet
from .qsmnet import FAQSMNet, QSMNet
from .rsanet import RSANet
from .unet3d import UNet3D

__all__ = [
    "CFTN",
    "AGNet",
    "DANet",
    "DipoleSolver",
    "FANet",
    "FAQSMNet",
    "FLAIRThreshold",
    "Interpolation",
    "NonLocalUNet",
    "QSMNet",
    "QSMUNet",
    "RSANet",
    "UNet3D",
    "fit_threshold",
]

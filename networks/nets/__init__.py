from .agnet import AGNet
from .cftn import CFTN
from .danet import DANet
from .dipole_solvers import DipoleSolver
from .fanet import FANet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .interpolation import Interpolation
from .non_local_unet import NonLocalUNet
from .non_local_upsampling import NonLocalUpsampling
from .qsm_unet import QSMUNet
from .qsmnet import FAQSMNet, QSMNet
from .recnn import ReCNN
from .rsanet import RSANet
from .srcnn3d import SRCNN3D
from .unet3d import UNet3D

__all__ = [
    "CFTN",
    "SRCNN3D",
    "AGNet",
    "DANet",
    "DipoleSolver",
    "FANet",
    "FAQSMNet",
    "FLAIRThreshold",
    "Interpolation",
    "NonLocalUNet",
    "NonLocalUpsampling",
    "QSMNet",
    "QSMUNet",
    "RSANet",
    "ReCNN",
    "UNet3D",
    "fit_threshold",
]

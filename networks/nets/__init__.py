from .agnet import AGNet
from .danet import DANet
from .dipole_solvers import DipoleSolver
from .edsr import EDSR
from .fanet import FANet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .mcmrsr import McMRSR
from .minet import MINet
from .non_local_unet import NonLocalUNet
from .qsm_unet import QSMUNet
from .qsmnet import FAQSMNet, QSMNet
from .rsanet import RSANet
from .sanet import SANet
from .unet3d import UNet3D

__all__ = [
    "EDSR",
    "AGNet",
    "DANet",
    "DipoleSolver",
    "FANet",
    "FAQSMNet",
    "FLAIRThreshold",
    "MINet",
    "McMRSR",
    "NonLocalUNet",
    "QSMNet",
    "QSMUNet",
    "RSANet",
    "SANet",
    "UNet3D",
    "fit_threshold",
]

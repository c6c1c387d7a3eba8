from .agnet import AGNet
from .cftn import CFTN
from .compressed_sensing import CompressedSensing
from .danet import DANet
from .ddsr_net import DDSRNet
from .dense_unet import DenseUNet, EarlyFusionDenseUNet
from .dipole_solvers import DipoleSolver
from .dudornet import DRDN, DuDoRNet
from .edsr import EDSR
from .fanet import FANet
from .fasr_net import FASRNet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .guided_dense_unet import GuidedDenseUNet
from .hetero_modal import HeteroModalNetwork
from .interpolation import Interpolation
from .lyu_net import LyuNet
from .manet import MANet
from .mcmrsr import McMRSR
from .minet import MINet
from .non_local_unet import NonLocalUNet
from .non_local_upsampling import NonLocalUpsampling
from .qsm_refiner import ClassicalSolution, FAQSMRefiner
from .qsm_unet import QSMUNet
from .qsmnet import FAQSMNet, QSMNet
from .recnn import ReCNN
from .rsanet import RSANet
from .sanet import SANet
from .single_coil_varnet import SingleCoilVarNet
from .smore_net import SMORENet
from .srcnn3d import SRCNN3D
from .stacked_manet import StackedMANet
from .two_contrast import TwoContrastNetwork
from .unet3d import UNet3D
from .zeng_net import ZengNet
from .zero_filled_unet import ZeroFilledUNet
from .zero_filling import ZeroFilling

__all__ = [
    "CFTN",
    "DRDN",
    "EDSR",
    "SRCNN3D",
    "AGNet",
    "ClassicalSolution",
    "CompressedSensing",
    "DANet",
    "DDSRNet",
    "DenseUNet",
    "DipoleSolver",
    "DuDoRNet",
    "EarlyFusionDenseUNet",
    "FANet",
    "FAQSMNet",
    "FAQSMRefiner",
    "FASRNet",
    "FLAIRThreshold",
    "GuidedDenseUNet",
    "HeteroModalNetwork",
    "Interpolation",
    "LyuNet",
    "MANet",
    "MINet",
    "McMRSR",
    "NonLocalUNet",
    "NonLocalUpsampling",
    "QSMNet",
    "QSMUNet",
    "RSANet",
    "ReCNN",
    "SANet",
    "SMORENet",
    "SingleCoilVarNet",
    "StackedMANet",
    "TwoContrastNetwork",
    "UNet3D",
    "ZengNet",
    "ZeroFilledUNet",
    "ZeroFilling",
    "fit_threshold",
]

from .agnet import AGNet
from .danet import DANet
from .fanet import FANet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .non_local_unet import NonLocalUNet
from .rsanet import RSANet
from .unet3d import UNet3D

__all__ = ["AGNet", "DANet", "FANet", "FLAIRThreshold", "NonLocalUNet", "RSANet", "UNet3D", "fit_threshold"]

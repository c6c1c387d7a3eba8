from .fanet import FANet
from .flair_threshold import FLAIRThreshold, fit_threshold
from .unet3d import UNet3D

__all__ = ["FANet", "FLAIRThreshold", "UNet3D", "fit_threshold"]

from .brain_windows import BrainWindowInferer
from .held_out_samples import HeldOutSamplesInferer
from .magnification import BlurredVolumes, TruncatedPlanes
from .mixed_precision import MixedPrecisionInferer, has_fast_bfloat16
from .precision_choice import faster_in_bfloat16
from .self_ensemble import SelfEnsembleInferer
from .self_test import SelfTestedInferer
from .slices import SliceBatchInferer, image_of
from .tiles import HaloTiledInferer

__all__ = [
    "BlurredVolumes",
    "BrainWindowInferer",
    "HaloTiledInferer",
    "HeldOutSamplesInferer",
    "MixedPrecisionInferer",
    "SelfEnsembleInferer",
    "SelfTestedInferer",
    "SliceBatchInferer",
    "TruncatedPlanes",
    "faster_in_bfloat16",
    "has_fast_bfloat16",
    "image_of",
]

from .brain_windows import BrainWindowInferer
from .mixed_precision import MixedPrecisionInferer, has_fast_bfloat16
from .precision_choice import faster_in_bfloat16
from .self_ensemble import SelfEnsembleInferer
from .slices import SliceBatchInferer, image_of
from .tiles import HaloTiledInferer

__all__ = [
    "BrainWindowInferer",
    "HaloTiledInferer",
    "MixedPrecisionInferer",
    "SelfEnsembleInferer",
    "SliceBatchInferer",
    "faster_in_bfloat16",
    "has_fast_bfloat16",
    "image_of",
]

from .convert import ORIGINALS, convert_state_dict
from .original import ConvertedWeights, Original

__all__ = ["ORIGINALS", "ConvertedWeights", "Original", "convert_state_dict"]

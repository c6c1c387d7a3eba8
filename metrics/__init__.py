from .lesion_matching import match_lesions
from .lesion_rates import LesionMatch, size_table
from .lesions import (
    LesionCount,
    LesionDice,
    LesionF1,
    LesionMetrics,
    LesionPositivePredictiveValue,
    LesionTruePositiveRate,
    LesionVolume,
)
from .summary import PairedDifference, paired_bootstrap, summarize

__all__ = [
    "LesionCount",
    "LesionDice",
    "LesionF1",
    "LesionMatch",
    "LesionMetrics",
    "LesionPositivePredictiveValue",
    "LesionTruePositiveRate",
    "LesionVolume",
    "PairedDifference",
    "match_lesions",
    "paired_bootstrap",
    "size_table",
    "summarize",
]

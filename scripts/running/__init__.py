"""Running bundles: what the commands ``predict``, ``evaluate`` and ``train`` do, for a notebook."""

from ...datasets import Case
from .bundle import BUNDLES, Bundle
from .configuration import Configuration, Progress
from .contest import Contestant, evaluate
from .evaluation import Evaluation
from .prediction import Prediction, predict
from .training import TrainingResult, train

__all__ = [
    "BUNDLES",
    "Bundle",
    "Case",
    "Configuration",
    "Contestant",
    "Evaluation",
    "Prediction",
    "Progress",
    "TrainingResult",
    "evaluate",
    "predict",
    "train",
]

"""Handlers of ignite's engines that configs name: weights loaded, checkpoints kept."""

from .averaged_weights import AveragedWeights
from .epoch_seeds import EpochSeeds
from .finite_gradients import FiniteGradients
from .idle_network import IdleNetwork
from .kept_precision import training_precision
from .time_budget import TimeBudget
from .tracked_settings import TrackedSettings
from .training_checkpoints import TrainingCheckpoints
from .training_folders import claim_folder
from .weights import WeightsLoader
from .weights_files import BestWeights, LastWeights
from .whole_files import save_whole

__all__ = [
    "AveragedWeights",
    "BestWeights",
    "EpochSeeds",
    "FiniteGradients",
    "IdleNetwork",
    "LastWeights",
    "TimeBudget",
    "TrackedSettings",
    "TrainingCheckpoints",
    "WeightsLoader",
    "claim_folder",
    "save_whole",
    "training_precision",
]

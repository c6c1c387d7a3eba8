"""Handlers of ignite's engines that configs name: weights loaded, checkpoints kept."""

from .weights import WeightsLoader

__all__ = ["WeightsLoader"]

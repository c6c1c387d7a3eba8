"""Temperature scaling: logits that are less, or more, sure."""

from __future__ import annotations

from monai.config import KeysCollection
from torch import Tensor

from .keyed import KeyedTransform, of_options


def divide_by_temperature(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Divide logits by a temperature before the softmax: ``z / T`` (Guo et al. 2017, arXiv:1706.04599, eq. 9).

    Above 1 probabilities move away from 0 and 1. Their order stays as it is.

    Raises:
        ValueError: for a temperature that is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    return logits / temperature


class DivideByTemperatured(KeyedTransform):
    """Dictionary version of :func:`divide_by_temperature`.

    Args:
        keys: of logits ``(c, *spatial)``.
        temperature: a positive number; 1 leaves logits as they are, bit by bit.

    Raises:
        ValueError: for a temperature that is not positive.
    """

    array = of_options(divide_by_temperature)

    def __init__(self, keys: KeysCollection, temperature: float = 1.0) -> None:
        super().__init__(keys, temperature=temperature)
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, got {temperature}")

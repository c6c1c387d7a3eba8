"""A guard against gradients that are not finite, which would spoil the weights in silence."""

from __future__ import annotations

import logging
import math
from typing import Any

import torch
from monai.engines.utils import IterationEvents

from ..datasets import InputError

logger = logging.getLogger(__name__)

SWITCHES = ("enabled", "half_precision")
"""What tells inferers to compute in bfloat16."""


class FiniteGradients:
    """Leave out a step whose gradients are not finite; go on in float32 after bfloat16, else end the training.

    Kernels for bfloat16 on CPUs gave NaN for a weight at a finite loss (small patches, torch 2.13); without a guard all
    weights are NaN a step later. A line of the log tells the step, the weight, and what follows.
    """

    def attach(self, engine: Any) -> None:
        """Follow the trainer ``engine``, between its way back and the step of its optimizer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Check the gradients of the network of ``engine``.

        Raises:
            InputError: if one is not finite though the training computes in float32.
        """
        gradients = {name: p.grad for name, p in engine.network.named_parameters() if p.grad is not None}
        if not gradients or torch.nn.utils.get_total_norm(list(gradients.values()), norm_type=math.inf).isfinite():
            return
        name = next(name for name, gradient in gradients.items() if not gradient.isfinite().all())
        problem = f"the gradient of {name} is not finite in step {engine.state.iteration}"
        switch = next((name for name in SWITCHES if getattr(engine.inferer, name, False)), None)
        if switch is None:
            remedy = "lower it, or look at the images of that step; go on from the last checkpoint with `resume`"
            raise InputError.at("`learning_rate`", problem, remedy)
        setattr(engine.inferer, switch, False)
        engine.optimizer.zero_grad(set_to_none=True)  # leaves the step out
        logger.warning("%s in bfloat16: it is left out, and the rest computes in float32", problem)

"""A bundle's network in other runtimes of torch, and how far what it gives there is from eager mode."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ..running.built_bundle import BuiltBundle, tensor_of
from ..running.differences import largest_difference

TOLERANCE = 1e-4
"""Largest difference from eager mode, relative to the largest value of the output."""

Run = Callable[..., Tensor]
"""Maps the network's inputs to its image."""


class RealNetwork(nn.Module):
    """A network as other runtimes know it: tensors in, one tensor out.

    Args:
        network: its output is a tensor, or a dictionary that has it under ``image``, or first.
        is_complex: for each input, whether it comes with real and imaginary parts along a last axis of two.
    """

    def __init__(self, network: nn.Module, is_complex: Sequence[bool]) -> None:
        super().__init__()
        self.network = network
        self.is_complex = tuple(is_complex)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map ``(b, c, *spatial[, 2])`` each to the network's tensor."""
        given = [torch.view_as_complex(x) if c else x for x, c in zip(inputs, self.is_complex, strict=True)]
        output: Tensor = tensor_of(self.network(*given))
        return output


def real_network(bundle: BuiltBundle) -> RealNetwork:
    """Return the network of ``bundle`` as other runtimes know it."""
    return RealNetwork(bundle.network, [x.is_complex() for x in bundle.examples()]).eval()


def real_inputs(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Replace complex tensors by real ones with a last axis of two."""
    return tuple(torch.view_as_real(x).contiguous() if x.is_complex() else x for x in inputs)


def traced(bundle: BuiltBundle) -> Run:
    """Return the network of ``bundle``, traced by TorchScript."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # results are compared
        network = torch.jit.trace(real_network(bundle), real_inputs(bundle.examples()), check_trace=False)
    return lambda *inputs: network(*real_inputs(inputs))


def exported(bundle: BuiltBundle) -> Run:
    """Return the network of ``bundle`` as ``torch.export`` writes it."""
    with torch.no_grad():
        program = torch.export.export(real_network(bundle), real_inputs(bundle.examples()), strict=False)
    network = program.module()
    return lambda *inputs: network(*real_inputs(inputs))


def difference_from_eager(bundle: BuiltBundle, run: Run, n_items: int = 1, growth: int = 0) -> float:
    """Return the largest difference of ``run`` from eager mode, relative to the largest value, on unseen input."""
    inputs = bundle.unseen(n_items, growth)
    with torch.no_grad():
        return largest_difference(tensor_of(run(*inputs)), tensor_of(bundle.network(*inputs)))


def first_line(error: Exception) -> str:
    """Return the first line of what ``error`` was raised from."""
    while error.__cause__ is not None:
        error = error.__cause__  # type: ignore[assignment]
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160] if lines else type(error).__name__

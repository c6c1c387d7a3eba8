"""Assertions and data shared by the tests: one line each in a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

FIXTURES = Path(__file__).resolve().parents[2] / "shared" / "fixtures"


def fixture(name: str) -> dict[str, Any]:
    """Load the numbers that another implementation made; skip the test where they are not at hand."""
    path = FIXTURES / f"{name}.pt"
    if not path.exists():
        pytest.skip(f"no fixture {path}")
    return torch.load(path, weights_only=True)


def with_open_gates(module: nn.Module) -> nn.Module:
    """Fill parameters that start at zero with seeded random numbers, so that every path counts."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in module.parameters():
            if not p.any():
                p.copy_(0.5 + 0.5 * torch.rand(p.shape, generator=generator))
    return module


def features(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return seeded normal features ``(b, c, *spatial)``."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def assert_deterministic_in_eval(module: nn.Module, *inputs: Tensor) -> None:
    """Check that eval() switches every randomness off."""
    module.eval()
    torch.testing.assert_close(module(*inputs), module(*inputs), rtol=0, atol=0)


def assert_gradients_flow(module: nn.Module, *inputs: Tensor) -> None:
    """Check that every parameter gets a finite, non-zero gradient."""
    module.zero_grad()
    module(*inputs).abs().square().sum().backward()
    for name, p in module.named_parameters():
        assert p.grad is not None, name
        assert p.grad.isfinite().all(), name
        assert p.grad.any(), name


def assert_linear(operator: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> None:
    """Check that sums and multiples go through."""
    torch.testing.assert_close(operator(2 * x - 3 * y), 2 * operator(x) - 3 * operator(y))


def assert_adjoint(
    operator: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> None:
    """Check that ``<A x, y> = <x, A^H y>``."""
    torch.testing.assert_close((operator(x).conj() * y).sum(), (x.conj() * adjoint(y)).sum())


WITHOUT_PROJECT = """
import sys


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mri_attention":
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)


sys.meta_path.insert(0, Blocked())
"""
"""Beginning of a program in which this project cannot be imported."""

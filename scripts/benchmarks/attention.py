"""What attention blocks cost, at one size and over sizes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil
import torch
from torch import Tensor, nn

from ..running.differences import require_close
from .attention_cases import AttentionCase, attention_cases, cross_scale_cases
from .measurement import (
    count_flops,
    count_flops_of_convolutions,
    interleaved_times,
    kept_for_backward,
    peak_apart,
    peak_memory,
)
from .result import Settings

SLOW = 1.0  # seconds of a pass, from which on three rounds must do


@dataclass
class Cost:
    """What one block costs at one size; memory in bytes, times in seconds, one for each round."""

    block: str
    channels: int
    size: int
    parameters: int
    flops: int
    flops_of_convolutions: int
    kept_for_backward: int
    peak_of_inference: int
    peak_of_training: int
    forward: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)


def measure_attention(settings: Settings, cases: Sequence[AttentionCase]) -> tuple[list[Cost], list[str]]:
    """Measure every block on ``1 x channels x size^3`` tensors.

    The blocks are those of :func:`attention_cases` or :func:`cross_scale_cases`: :func:`peak_of` knows them by name.

    Returns:
        costs: of each block at each size.
        left_out: the blocks that did not fit into the machine's memory.

    Raises:
        RuntimeError: if the forms of one block give different numbers, before any of them is timed.
    """
    check_equal_forms(settings.device, cases)
    costs, left_out = [], []
    for size in settings.sizes:
        fitting = [case for case in cases if fits(size, settings.device, case.quadratic)]
        left_out += [f"{case.name} at {size}^3" for case in cases if case not in fitting]
        costs += _measure_size(fitting, size, settings)
    return costs, left_out


def fits(size: int, device: torch.device, share: float = 1.0) -> bool:
    """Whether four matrices of affinities, which a quadratic block trains with, fit into 60 % of free memory.

    ``share`` is how many it holds of those between all voxels.
    """
    is_cuda = device.type == "cuda"
    free = torch.cuda.mem_get_info(device)[0] if is_cuda else psutil.virtual_memory().available
    return 4 * 4 * share * size**6 < 0.6 * free


def check_equal_forms(device: torch.device, cases: Sequence[AttentionCase]) -> None:
    """Check that the forms of one block give the same numbers, before any of them is timed.

    Raises:
        RuntimeError: if they differ by more than 1e-4 of the largest value.
    """
    by_name = {case.name: case for case in cases}
    for name, literal in by_name.items():
        fast = by_name.get(name.removesuffix(" (literal)"))
        if fast is None or fast is literal:
            continue
        one, other = (_block(case, 16, device).eval() for case in (fast, literal))
        other.load_state_dict(one.state_dict())
        x = torch.randn(1, 16, 6, 6, 6, device=device)
        require_close(other(x), one(x), 1e-4, f"{name} and {fast.name}")


def _measure_size(cases: Sequence[AttentionCase], size: int, settings: Settings) -> list[Cost]:
    device, channels = settings.device, settings.channels
    costs, blocks, x = [], [], torch.randn(1, channels, size, size, size, device=device)
    for case in cases:
        settings.progress(f"{size}^3: counting {case.name}")
        block = _block(case, channels, device)
        blocks.append(block)
        costs.append(
            Cost(
                case.name,
                channels,
                size,
                parameters=sum(p.numel() for p in block.parameters()),
                flops=count_flops(block, x),
                flops_of_convolutions=count_flops_of_convolutions(block, x),
                kept_for_backward=kept_for_backward(block, x.clone().requires_grad_()),
                peak_of_inference=peak_apart(peak_of, case.name, channels, size, "inference", device),
                peak_of_training=peak_apart(peak_of, case.name, channels, size, "training", device),
            )
        )
    for step, make in (("forward", inference), ("training", training_step)):
        settings.progress(f"{size}^3: timing {step}")
        passes = [make(block, x) for block in blocks]
        for cost, times in zip(costs, _times(passes, device, settings.n_rounds), strict=True):
            setattr(cost, step, times)
    return costs


def _times(passes: Sequence[Callable[[], object]], device: torch.device, n_rounds: int) -> list[list[float]]:
    """All in turn in three rounds, then those that are not slow in the rest of the rounds."""
    times = interleaved_times(passes, device, min(3, n_rounds))
    fast = [i for i, row in enumerate(times) if statistics.median(row) < SLOW]
    if fast and n_rounds > 3:
        for i, more in zip(fast, interleaved_times([passes[i] for i in fast], device, n_rounds - 3), strict=True):
            times[i] += more
    return times


def inference(block: nn.Module, x: Tensor) -> Callable[[], object]:
    """Return a function that runs a forward pass without gradients."""
    return torch.inference_mode()(lambda: block(x))


def training_step(block: nn.Module, x: Tensor) -> Callable[[], None]:
    """Return a function that runs a forward and a backward pass, gradients to input and parameters."""

    def run() -> None:
        block.zero_grad(set_to_none=True)
        block(x.detach().requires_grad_()).sum().backward()

    return run


def _block(case: AttentionCase, channels: int, device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    block = case.build(channels).to(device)
    for name, parameter in block.named_parameters():
        if parameter.ndim < 2 and not parameter.any() and "bias" not in name:
            nn.init.constant_(parameter, 0.5)  # gates that start at zero would hide what lies behind
    return block


def peak_of(name: str, channels: int, size: int, step: str, device: torch.device) -> int:
    """Peak memory in bytes of one pass of the block with this name, beyond its parameters and input."""
    case = next(case for case in (*attention_cases(), *cross_scale_cases()) if case.name == name)
    make = {"inference": inference, "training": training_step}[step]
    make(_block(case, channels, device), torch.randn(1, channels, 4, 4, 4, device=device))()  # what a first call loads
    x = torch.randn(1, channels, size, size, size, device=device)
    return peak_memory(make(_block(case, channels, device), x), device)

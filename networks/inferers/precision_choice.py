"""Which of float32 and bfloat16 a network computes faster in here: measured, not read from flags of the processor."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils._pytree import tree_leaves

from .mixed_precision import LAYOUTS, has_fast_bfloat16

logger = logging.getLogger(__name__)

MAX_SECONDS, MAX_ROUNDS = 2.0, 5
MARGIN = 1.1
"""bfloat16 has to be faster by this factor: near ties give float32, the more exact one, in each run alike."""
CLEAR = 1.5
"""A first round with a ratio beyond this one needs no second."""

_chosen: dict[tuple[object, ...], bool] = {}


def faster_in_bfloat16(
    network: Any,
    shape: Sequence[int],
    device: torch.device | str = "cpu",
    training: bool = False,
    dtypes: Sequence[str] = ("float32",),
) -> bool:
    """Tell whether ``network`` is faster under autocast to bfloat16 than in float32, by some passes of random input.

    Processors that report AVX512-BF16 without AMX are slower in bfloat16 with some networks, sizes and numbers of
    threads, and faster with others. So a copy of the network is timed on the CPU, in turn in both, for about two
    seconds, or one pass of each where that takes longer. Random state, weights, gradients and buffers stay as they are.
    Where there is no arithmetic for bfloat16 nothing is timed, and on CUDA devices since Ampere bfloat16 is chosen. One
    line of the log tells the choice, which holds for equal networks and shapes in this process, and for all processes
    of a distributed training.

    Args:
        network: one without parameters computes in float32.
        shape: of each input, ``(b, c, *spatial)``, as large as those to come.
        device: of the network.
        training: time the way forward and back, else the way forward.
        dtypes: of the inputs, such as ``complex64``.
    """
    device, network = torch.device(device), network.module if _is_distributed(network) else network
    if not (isinstance(network, nn.Module) and any(True for _ in network.parameters())):
        return False
    key = (str(network), *shape, *dtypes, device, training, torch.get_num_threads())
    if key not in _chosen:
        _chosen[key] = _same_in_all(_choose(network, shape, device, training, dtypes))
    return _chosen[key]


def _choose(
    network: nn.Module, shape: Sequence[int], device: torch.device, training: bool, dtypes: Sequence[str]
) -> bool:
    if not has_fast_bfloat16(device):
        logger.info("computing in float32: no arithmetic for bfloat16 here")
        return False
    if device.type != "cpu":
        logger.info("computing in bfloat16, for which %s has arithmetic", torch.cuda.get_device_name(device))
        return True
    try:
        full, half = _times(network, _inputs(shape, dtypes), training)
    except (RuntimeError, ValueError) as error:  # the network fails so too where it is needed, if it is
        logger.info("computing in float32: not timed, for a pass fails (%s)", str(error).partition("\n")[0])
        return False
    is_half = full > MARGIN * half
    (name, seconds), (other, other_seconds) = sorted({"float32": full, "bfloat16": half}.items(), reverse=not is_half)
    what = f"a {'training step' if training else 'pass'} of {' x '.join(map(str, shape))}"
    text = "computing in %s: %.3g s for %s, against %.3g s in %s (threads: %d); set `half_precision` to choose"
    logger.info(text, name, seconds, what, other_seconds, other, torch.get_num_threads())
    return is_half


def _times(network: nn.Module, inputs: Sequence[Tensor], training: bool) -> tuple[float, float]:
    """Median seconds in float32 and in bfloat16, by rounds in which each comes once, after one to warm up."""
    apart, start = copy.deepcopy(network).train(training), time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        warm_up = _round(apart, inputs, training)
        rounds: list[tuple[float, float]] = []
        while len(rounds) < MAX_ROUNDS and time.perf_counter() - start < MAX_SECONDS:
            rounds.append(_round(apart, inputs, training))
            if not 1 / CLEAR < rounds[0][0] / rounds[0][1] < CLEAR:
                break
    full, half = zip(*(rounds or [warm_up]), strict=True)
    return median(full), median(half)


def _round(network: nn.Module, inputs: Sequence[Tensor], training: bool) -> tuple[float, float]:
    full, half = (_seconds(network, inputs, training, is_half) for is_half in (False, True))
    return full, half


def _seconds(network: nn.Module, inputs: Sequence[Tensor], training: bool, is_half: bool) -> float:
    start = time.perf_counter()
    with torch.set_grad_enabled(training):
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            outputs = network(*inputs)
        if training:
            found = [x for x in tree_leaves(outputs) if isinstance(x, Tensor) and x.requires_grad]
            loss = torch.stack([x.abs().float().mean() for x in found]).sum()
            torch.autograd.grad(loss, [p for p in network.parameters() if p.requires_grad], allow_unused=True)
    return time.perf_counter() - start


def _inputs(shape: Sequence[int], dtypes: Sequence[str]) -> list[Tensor]:
    """Seeded input in the layout that the inferers give it."""
    random, inputs = torch.Generator().manual_seed(0), []
    for dtype in (getattr(torch, name) for name in dtypes):
        values = torch.randn(*shape, generator=random, dtype=torch.float32 if dtype == torch.bool else dtype)
        values = values > 0 if dtype == torch.bool else values
        inputs.append(values.contiguous(memory_format=LAYOUTS.get(values.ndim, torch.contiguous_format)))
    return inputs


def _is_distributed(network: Any) -> bool:
    return isinstance(network, DistributedDataParallel)


def _same_in_all(choice: bool) -> bool:
    """Return what the first of several processes chose."""
    if not (dist.is_available() and dist.is_initialized()):
        return choice
    choices = [choice]
    dist.broadcast_object_list(choices, src=0)
    return choices[0]

"""What a module costs: parameters, operations, memory and time."""

from __future__ import annotations

import gc
import math
import platform
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop

HIGH_WATER_MARK, CPU_INFO = Path("/proc/self/status"), Path("/proc/cpuinfo")


def count_flops(module: nn.Module, x: Tensor) -> int:
    """Count floating-point operations of a forward pass: two for each multiply-add of convolutions and matrix products.

    Attention products count, also those within fused kernels; softmax, normalization and sums do not.
    """
    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # which torch 2.13's counter misses
    mapping = {flash: lambda query, key, value, *_, **__: sdpa_flop(query, key, value)}
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        module(x)
    return counter.get_total_flops()


def count_flops_of_convolutions(module: nn.Module, x: Tensor) -> int:
    """Count as profilers do that look at layers alone: convolutions with biases, and normalization.

    One for each multiply-add and for each bias, two for each normalized value. Products of tensors, which are most of
    attention, do not count. The FLOPs of Fig. 1 of Zhang et al. (AAAI 2021) are reproduced by this rule.
    """
    total = 0

    def count(layer: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            per_value = math.prod(layer.kernel_size) * layer.in_channels // layer.groups
            total += output.numel() * (per_value + (layer.bias is not None))
        else:
            total += 2 * output.numel()

    layers = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Conv3d | nn.BatchNorm2d | nn.BatchNorm3d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        module(x)
    for hook in hooks:
        hook.remove()
    return total


def kept_for_backward(module: nn.Module, x: Tensor) -> int:
    """Bytes that a forward pass in training leaves alive for the backward pass: its input, and what it made.

    Parameters and the output do not count, unless the output is itself kept.
    """
    with _Allocations() as allocations:
        output = module(x)
    allocations.forget(output)
    gc.collect()
    return x.nbytes + allocations.n_bytes_alive()


class _Allocations(TorchDispatchMode):
    """Remember, without keeping them alive, the storages that operations made."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        given = {_address(t) for t in args if isinstance(t, Tensor)}
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, Tensor) and _address(tensor) not in given:
                storage = tensor.untyped_storage()
                self.storages[_address(tensor)] = (StorageWeakRef(storage), storage.nbytes())
        return result

    def forget(self, tensor: Tensor) -> None:
        self.storages.pop(_address(tensor), None)

    def n_bytes_alive(self) -> int:
        return sum(size for reference, size in self.storages.values() if not reference.expired())


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def peak_memory(function: Callable[[], object], device: torch.device) -> int:
    """Bytes that ``function`` takes at most, beyond what there is before.

    CUDA: torch's allocator. CPU: resident memory of the process, by the kernel's high-water mark on Linux, elsewhere
    sampled; so run it in a fresh process, in which no freed memory is left to reuse.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        function()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    process = psutil.Process()
    if not HIGH_WATER_MARK.exists():
        return _sampled_peak(function, process)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = process.memory_info().rss
    function()
    peak = int(HIGH_WATER_MARK.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) * 1024
    return max(peak - before, 0)


def peak_apart(measure: Callable[..., int], *arguments: object) -> int:
    """Return what ``measure(*arguments)`` returns, in a fresh process on a CPU; the last argument is the device.

    Args:
        measure: a function of a module, which calls :func:`peak_memory`.
        arguments: the process gets copies of them.
    """
    if getattr(arguments[-1], "type", "cpu") == "cuda":
        return measure(*arguments)
    threads = (torch.get_num_threads(),)
    with ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, threads) as process:
        return process.submit(measure, *arguments).result()


def _sampled_peak(function: Callable[[], object], process: psutil.Process) -> int:
    peak = before = process.memory_info().rss
    is_done = threading.Event()

    def sample() -> None:
        nonlocal peak
        while not is_done.wait(0.0005):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=sample)
    thread.start()
    function()
    is_done.set()
    thread.join()
    return peak - before


def interleaved_times(
    functions: Sequence[Callable[[], object]], device: torch.device, n_rounds: int = 7
) -> list[list[float]]:
    """Seconds of each function in each of ``n_rounds`` rounds; a round runs them all, one after the other.

    What disturbs the machine for a while disturbs all of them alike: compare by ratios within a round. One call of each
    goes before, to warm up.
    """
    for function in functions:
        _seconds(function, device)
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(n_rounds):
        for row, function in zip(times, functions, strict=True):
            row.append(_seconds(function, device))
    return times


def _seconds(function: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def describe_machine(device: torch.device) -> dict[str, str]:
    """Name what numbers depend on: processor, threads, versions, load."""
    info = CPU_INFO.read_text(encoding="utf-8") if CPU_INFO.exists() else ""
    found = re.search(r"^model name\s*: (.*)", info, re.MULTILINE)
    processor = found[1].strip() if found else platform.processor()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor
    return {
        "device": f"{device.type}: {name}",
        "threads": str(torch.get_num_threads()),
        "load before": f"{psutil.getloadavg()[0]:.1f}",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }

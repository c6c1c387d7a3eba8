"""All benchmarks by the name that the command gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .attention_table import attention_blocks, cross_scale_blocks
from .inference import inference
from .kspace import kspace
from .result import Result, Settings
from .runtimes import runtimes
from .training import training


class Benchmark(NamedTuple):
    """What runs it, and the sizes that it takes by default."""

    run: Callable[[Settings], Result]
    sizes: str


BENCHMARKS = {
    "attention": Benchmark(attention_blocks, "8,12,16,24,32"),
    "cross-scale": Benchmark(cross_scale_blocks, "8,16,24,32"),
    "inference": Benchmark(inference, "64"),
    "kspace": Benchmark(kspace, "256,320"),
    "runtimes": Benchmark(runtimes, "192"),
    "training": Benchmark(training, "64"),
}

"""The benchmark ``runtimes``: table and bars of the shipped networks in other runtimes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version

from ...datasets import InputError
from ..exports.onnx_export import missing_packages
from ..running.bundle import BUNDLES
from .bars import grouped_bars
from .ratios import milliseconds, ratio
from .result import MEDIANS, Result, Settings
from .runtimes import RUNTIMES, RuntimeCost, measure_runtimes

HEADER = ["network", "runtime", "input", "free sizes", "largest difference", "time (ms)", "of eager's", "peak (MiB)"]


def runtimes(settings: Settings) -> Result:
    """Compare other runtimes with eager mode.

    Raises:
        InputError: if the device is not the CPU, a package is missing, or a bundle is not known.
    """
    if settings.device.type != "cpu":
        problem = "other runtimes are measured on the CPU"
        raise InputError.at(f"--device {settings.device}", problem, "leave it out")
    if missing := missing_packages():
        problem = f"needs the packages {', '.join(missing)}"
        raise InputError.at("benchmark runtimes", problem, "pip install 'mri-attention[share]'")
    known = sorted(file.parents[1].name for file in BUNDLES.glob("*/models/model.pt"))
    costs = measure_runtimes(settings, settings.choose(known, "bundle"))
    return Result(
        "Shipped networks in other runtimes",
        {"dtype": "float32", "costs": [asdict(cost) for cost in costs]},
        HEADER,
        runtime_rows(costs),
        runtime_bars(costs),
        f"Differences are relative to the largest value. {MEDIANS}",
        {"onnxruntime": version("onnxruntime")},
    )


def runtime_rows(costs: Sequence[RuntimeCost]) -> list[list[str]]:
    """Rows of :data:`HEADER`; ratios are medians of those within a round, with quartiles."""
    eager = {cost.bundle: cost.seconds for cost in costs if cost.runtime == "eager"}
    return [_row(cost, eager[cost.bundle]) for cost in costs]


def runtime_bars(costs: Sequence[RuntimeCost]) -> bytes:
    """Plot times relative to eager mode, as PNG; no bar where a network does not run."""
    seconds = {(cost.bundle, cost.runtime): cost.seconds for cost in costs}
    names = list(dict.fromkeys(cost.bundle for cost in costs))
    shares = {runtime: [_share(seconds, name, runtime) for name in names] for runtime in RUNTIMES}
    return grouped_bars([name.replace("_", "\n") for name in names], {"time, of eager mode's": shares})


def _share(seconds: Mapping[tuple[str, str], Sequence[float]], bundle: str, runtime: str) -> float:
    times = seconds.get((bundle, runtime)) or [math.nan]
    return statistics.median(a / b for a, b in zip(times, seconds[bundle, "eager"], strict=False))


def _row(cost: RuntimeCost, eager: Sequence[float]) -> list[str]:
    row = [cost.bundle, cost.runtime, " x ".join(map(str, cost.shape)), cost.free]
    if cost.difference is None:
        return [*row, f"does not run: {cost.reason}", "", "", ""]
    peak = "" if cost.peak is None else f"{cost.peak / 2**20:,.0f}"
    return [*row, f"{cost.difference:.1e}", milliseconds(cost.seconds), ratio(cost.seconds, eager), peak]

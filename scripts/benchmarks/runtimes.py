"""The benchmark ``runtimes``: the shipped networks in eager mode, onnxruntime, TorchScript and ``torch.export``."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch

from ...datasets import InputError
from ..exports.onnx_export import missing_packages, write_onnx
from ..exports.runtimes import TOLERANCE, Run, exported, first_line, traced
from ..running.built_bundle import BuiltBundle, tensor_of
from ..running.bundle import BUNDLES, code_of
from ..running.differences import require_close
from ..running.onnx_network import OnnxNetwork
from .measurement import interleaved_times, peak_apart, peak_memory
from .result import MEDIANS, Result, Settings, grouped_bars, milliseconds, ratio

CPU = torch.device("cpu")
WITH_PEAK = ("eager", "onnxruntime")


@dataclass
class RuntimeCost:
    """One network in one runtime.

    Attributes:
        bundle: whose network it is.
        runtime: in which it ran.
        shape: of the first input.
        free: what may vary.
        difference: the largest one from eager mode, relative to the largest value; None where it does not run.
        reason: why it does not.
        seconds: of each round.
        peak: bytes beyond the loaded network, in a fresh process.
    """

    bundle: str
    runtime: str
    shape: tuple[int, ...]
    free: str
    difference: float | None = None
    reason: str = ""
    seconds: list[float] = field(default_factory=list)
    peak: int | None = None


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
        runtime_rows(costs),
        runtime_bars(costs),
        f"Differences are relative to the largest value. {MEDIANS}",
        {"onnxruntime": version("onnxruntime")},
    )


def measure_runtimes(settings: Settings, names: Sequence[str]) -> list[RuntimeCost]:
    """Run the network of each of the bundles ``names`` on one seeded input in all runtimes, interleaved.

    The last size is that of slices; volumes have the size of the bundle's patches or tiles.

    Raises:
        RuntimeError: if outputs differ, before they are timed.
    """
    with tempfile.TemporaryDirectory() as folder:
        return [cost for name in names for cost in _measure(name, Path(folder, f"{name}.onnx"), settings)]


def _measure(name: str, file: Path, settings: Settings) -> list[RuntimeCost]:
    folder, edge, progress = BUNDLES / name, settings.sizes[-1], settings.progress
    with code_of(folder):
        progress(f"{name}: exporting")
        form = write_onnx(BuiltBundle(folder), file).form
        bundle = sized_bundle(folder, edge)
        inputs, runs, costs = bundle.unseen(), {}, []
        for runtime, make in RUNTIMES.items():
            progress(f"{name}: {runtime}")
            cost = RuntimeCost(name, runtime, tuple(inputs[0].shape), _freedom(runtime, form))
            costs.append(cost)
            try:
                runs[runtime] = make(bundle, file)
            except Exception as error:
                cost.reason = first_line(error)
                continue
            what = f"the outputs of {name} in {runtime}"
            with torch.inference_mode():
                found, eager = runs[runtime](*inputs), runs["eager"](*inputs)
            cost.difference = require_close(found, eager, TOLERANCE, what)
        progress(f"{name}: timing")
        passes = [lambda run=run: run(*inputs) for run in runs.values()]
        with torch.inference_mode():
            times = dict(zip(runs, interleaved_times(passes, CPU, settings.n_rounds), strict=True))
    for cost in costs:
        cost.seconds = times.get(cost.runtime, [])
        if cost.runtime in WITH_PEAK:
            progress(f"{name}: memory of {cost.runtime}")
            cost.peak = peak_apart(peak_of, name, cost.runtime, file, edge)
    return costs


def sized_bundle(folder: Path, edge: int) -> BuiltBundle:
    """Return the bundle with examples as large as its patches or tiles, else slices of this edge."""
    parser = BuiltBundle(folder).inference
    assert parser is not None
    size = next((parser.get_parsed_content(name) for name in ("tile", "patch") if name in parser), edge)
    return BuiltBundle(folder, size if isinstance(size, int) else min(size))


def _eager(bundle: BuiltBundle) -> Run:
    network = bundle.network
    return lambda *inputs: tensor_of(network(*inputs))


RUNTIMES: dict[str, Callable[[BuiltBundle, Path], Run]] = {
    "eager": lambda bundle, _: _eager(bundle),
    "onnxruntime": lambda _, file: OnnxNetwork(file),
    "TorchScript": lambda bundle, _: traced(bundle),
    "torch.export": lambda bundle, _: exported(bundle),
}


def _freedom(runtime: str, form: str) -> str:
    return {"eager": "any size", "onnxruntime": form}.get(runtime, "this size")


def peak_of(name: str, runtime: str, file: Path, edge: int) -> int:
    """Peak memory in bytes of one pass of a bundle's network, beyond the loaded network and its input."""
    with code_of(BUNDLES / name):
        bundle = sized_bundle(BUNDLES / name, edge)
        inputs, run = bundle.unseen(), RUNTIMES[runtime](bundle, file)
        with torch.inference_mode():
            return peak_memory(lambda: run(*inputs), CPU)


def runtime_rows(costs: Sequence[RuntimeCost]) -> list[dict[str, str]]:
    """Rows of the table; ratios are medians of those within a round, with quartiles."""
    eager = {cost.bundle: cost.seconds for cost in costs if cost.runtime == "eager"}
    return [_row(cost, eager[cost.bundle]) for cost in costs]


def _row(cost: RuntimeCost, eager: Sequence[float]) -> dict[str, str]:
    runs = cost.difference is not None
    return {
        "network": cost.bundle,
        "runtime": cost.runtime,
        "input": " x ".join(map(str, cost.shape)),
        "free sizes": cost.free,
        "largest difference": f"{cost.difference:.1e}" if runs else f"does not run: {cost.reason}",
        "time (ms)": milliseconds(cost.seconds) if runs else "",
        "of eager's": ratio(cost.seconds, eager) if runs else "",
        "peak (MiB)": f"{cost.peak / 2**20:,.0f}" if runs and cost.peak is not None else "",
    }


def runtime_bars(costs: Sequence[RuntimeCost]) -> bytes:
    """Plot times relative to eager mode, as PNG; no bar where a network does not run."""
    seconds = {(cost.bundle, cost.runtime): cost.seconds for cost in costs}
    names = list(dict.fromkeys(cost.bundle for cost in costs))
    shares = {runtime: [_share(seconds, name, runtime) for name in names] for runtime in RUNTIMES}
    return grouped_bars([name.replace("_", "\n") for name in names], {"time, of eager mode's": shares})


def _share(seconds: Mapping[tuple[str, str], Sequence[float]], bundle: str, runtime: str) -> float:
    times = seconds.get((bundle, runtime)) or [math.nan]
    return statistics.median(a / b for a, b in zip(times, seconds[bundle, "eager"], strict=False))

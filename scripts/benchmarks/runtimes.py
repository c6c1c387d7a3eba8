"""What the shipped networks cost in eager mode, onnxruntime, TorchScript and ``torch.export``."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..exports.onnx_export import TOLERANCE, OnnxNetwork, first_line, real_inputs, real_network, write_onnx
from ..running.built_bundle import BuiltBundle, tensor_of
from ..running.bundle import BUNDLES, code_of
from ..running.differences import require_close
from .measurement import interleaved_times, peak_apart, peak_memory
from .result import Settings

CPU = torch.device("cpu")
WITH_PEAK = ("eager", "onnxruntime")
Run = Callable[..., Tensor]


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
            cost.difference = require_close(runs[runtime](*inputs), runs["eager"](*inputs), TOLERANCE, what)
        progress(f"{name}: timing")
        passes = [lambda run=run: run(*inputs) for run in runs.values()]
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


def _eager(bundle: BuiltBundle, file: Path) -> Run:
    network = bundle.network

    def run(*inputs: Tensor) -> Tensor:
        with torch.inference_mode():
            output: Tensor = tensor_of(network(*inputs))
        return output

    return run


def _onnxruntime(bundle: BuiltBundle, file: Path) -> Run:
    return OnnxNetwork(file)


def _torchscript(bundle: BuiltBundle, file: Path) -> Run:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # results are compared
        traced = torch.jit.trace(real_network(bundle), real_inputs(bundle.examples()), check_trace=False)
    return _real(traced)


def _torch_export(bundle: BuiltBundle, file: Path) -> Run:
    with torch.no_grad():
        program = torch.export.export(real_network(bundle), real_inputs(bundle.examples()), strict=False)
    return _real(program.module())


def _real(network: Callable[..., Tensor]) -> Run:
    def run(*inputs: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(*real_inputs(inputs))

    return run


RUNTIMES: dict[str, Callable[[BuiltBundle, Path], Run]] = {
    "eager": _eager,
    "onnxruntime": _onnxruntime,
    "TorchScript": _torchscript,
    "torch.export": _torch_export,
}


def _freedom(runtime: str, form: str) -> str:
    return {"eager": "any size", "onnxruntime": form}.get(runtime, "this size")


def peak_of(name: str, runtime: str, file: Path, edge: int) -> int:
    """Peak memory in bytes of one pass of a bundle's network, beyond the loaded network and its input."""
    with code_of(BUNDLES / name):
        bundle = sized_bundle(BUNDLES / name, edge)
        inputs, run = bundle.unseen(), RUNTIMES[runtime](bundle, file)
        return peak_memory(lambda: run(*inputs), CPU)

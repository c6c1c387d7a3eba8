"""The benchmark ``runtimes``: the shipped networks in eager mode, onnxruntime, TorchScript and ``torch.export``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..exports.onnx_export import TOLERANCE, OnnxNetwork, first_line, real_inputs, real_network, write_onnx
from ..running.bundles import BUNDLES
from ..running.checked_bundle import CheckedBundle, code_of, tensor_of
from .measurement import describe_machine, interleaved_times, peak_memory

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


@dataclass
class RuntimeBenchmark:
    """All costs, and the machine they were measured on."""

    machine: dict[str, str]
    costs: list[RuntimeCost]

    def content(self) -> dict[str, object]:
        """Return everything as what JSON can hold."""
        return {"machine": self.machine, "dtype": "float32", "costs": [asdict(cost) for cost in self.costs]}


def measure_runtimes(
    names: Sequence[str], edge: int, n_rounds: int, progress: Callable[[str], None]
) -> RuntimeBenchmark:
    """Run each bundle's network on one seeded input in all runtimes, interleaved.

    Args:
        names: of the bundles.
        edge: of slices; volumes have the size of the bundle's patches or tiles.
        n_rounds: of timing.
        progress: is told what is going on.

    Raises:
        RuntimeError: if outputs differ, before they are timed.
    """
    import onnxruntime

    machine = describe_machine(torch.device("cpu")) | {"onnxruntime": onnxruntime.__version__}
    benchmark = RuntimeBenchmark(machine, [])
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            benchmark.costs += _measure(name, edge, n_rounds, Path(folder, f"{name}.onnx"), progress)
    return benchmark


def _measure(name: str, edge: int, n_rounds: int, file: Path, progress: Callable[[str], None]) -> list[RuntimeCost]:
    folder = BUNDLES / name
    with code_of(folder):
        progress(f"{name}: exporting")
        form = write_onnx(CheckedBundle(folder), file).form
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
            cost.difference = _difference(runs["eager"](*inputs), runs[runtime](*inputs), f"{name} in {runtime}")
        progress(f"{name}: timing")
        passes = [lambda run=run: run(*inputs) for run in runs.values()]
        times = interleaved_times(passes, torch.device("cpu"), n_rounds)
        for runtime, seconds in zip(runs, times, strict=True):
            next(cost for cost in costs if cost.runtime == runtime).seconds = seconds
    for cost in costs:
        if cost.runtime in WITH_PEAK:
            progress(f"{name}: memory of {cost.runtime}")
            cost.peak = _peak(name, cost.runtime, file, edge)
    return costs


def sized_bundle(folder: Path, edge: int) -> CheckedBundle:
    """Return the bundle with examples as large as its patches or tiles, else slices of this edge."""
    parser = CheckedBundle(folder).inference
    assert parser is not None
    size = next((parser.get_parsed_content(name) for name in ("tile", "patch") if name in parser), edge)
    return CheckedBundle(folder, size if isinstance(size, int) else min(size))


def _eager(bundle: CheckedBundle, file: Path) -> Run:
    network = bundle.network

    def run(*inputs: Tensor) -> Tensor:
        with torch.inference_mode():
            output: Tensor = tensor_of(network(*inputs))
        return output

    return run


def _onnxruntime(bundle: CheckedBundle, file: Path) -> Run:
    return OnnxNetwork(file)


def _torchscript(bundle: CheckedBundle, file: Path) -> Run:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # results are compared
        traced = torch.jit.trace(real_network(bundle), real_inputs(bundle.examples()), check_trace=False)
    return _real(traced)


def _torch_export(bundle: CheckedBundle, file: Path) -> Run:
    with torch.no_grad():
        program = torch.export.export(real_network(bundle), real_inputs(bundle.examples()), strict=False)
    return _real(program.module())


def _real(network: Callable[..., Tensor]) -> Run:
    def run(*inputs: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(*real_inputs(inputs))

    return run


RUNTIMES: dict[str, Callable[[CheckedBundle, Path], Run]] = {
    "eager": _eager,
    "onnxruntime": _onnxruntime,
    "TorchScript": _torchscript,
    "torch.export": _torch_export,
}


def _freedom(runtime: str, form: str) -> str:
    return {"eager": "any size", "onnxruntime": form}.get(runtime, "this size")


def _difference(expected: Tensor, found: Tensor, place: str) -> float:
    difference = float((expected - found).abs().max() / expected.abs().max().clamp_min(1e-12))
    if not difference <= TOLERANCE:
        raise RuntimeError(f"the outputs of {place} differ by {difference:.1e} of the largest value")
    return difference


def _peak(name: str, runtime: str, file: Path, edge: int) -> int:
    arguments = [name, runtime, str(file), str(edge), str(torch.get_num_threads())]
    command = [sys.executable, "-m", __name__, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _print_peak(name: str, runtime: str, file: str, edge: str, n_threads: str) -> None:
    torch.set_num_threads(int(n_threads))
    with code_of(BUNDLES / name):
        bundle = sized_bundle(BUNDLES / name, int(edge))
        inputs, run = bundle.unseen(), RUNTIMES[runtime](bundle, Path(file))
        peak = peak_memory(lambda: run(*inputs), torch.device("cpu"))
    sys.stdout.write(f"{peak}\n")


if __name__ == "__main__":
    _print_peak(*sys.argv[1:])

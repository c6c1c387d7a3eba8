"""Tests of the benchmark ``runtimes``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from mri_attention.scripts.benchmarks import runtimes as runtime_benchmark
from mri_attention.scripts.benchmarks.result import Settings
from mri_attention.scripts.benchmarks.runtimes import (
    RuntimeCost,
    measure_runtimes,
    runtime_bars,
    runtime_rows,
    sized_bundle,
)
from mri_attention.scripts.exports import onnx_export
from mri_attention.scripts.running.bundle import BUNDLES

Run = Callable[..., int]

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, onnx_export.PACKAGES)), reason="needs the packages of mri-attention[share]"
)
COSTS = [
    RuntimeCost("a", "eager", (1, 2, 8), "any size", 0.0, seconds=[0.2, 0.4, 0.2], peak=3 * 2**20),
    RuntimeCost("a", "onnxruntime", (1, 2, 8), "any batch", 2e-6, seconds=[0.1, 0.1, 0.1], peak=2**20),
    RuntimeCost("a", "TorchScript", (1, 2, 8), "this size", reason="no such operator"),
]


def test_rows_compare_with_eager_mode_round_by_round() -> None:
    rows = runtime_rows(COSTS)
    assert rows[1]["of eager's"] == "0.50 (0.38-0.50)"
    assert [row["time (ms)"] for row in rows] == ["200", "100", ""]
    assert [row["peak (MiB)"] for row in rows] == ["3", "1", ""]
    assert rows[1]["largest difference"] == "2.0e-06"
    assert rows[2]["largest difference"] == "does not run: no such operator"


def test_costs_become_a_picture() -> None:
    assert runtime_bars(COSTS).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "edge"),
    [
        ("brain_super_resolution_cftn", 32),
        ("qsm_reconstruction_fanet", 64),
        ("guided_reconstruction_manet", 48),
        ("guided_super_resolution_sanet", 48),
    ],
)
def test_examples_have_the_size_of_the_bundles_tiles_patches_or_slices(name: str, edge: int) -> None:
    assert set(sized_bundle(BUNDLES / name, 48).example.shape[2:]) == {edge}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--blocks", "nothing"], "--blocks nothing: no such bundle; choose among brain_super_resolution_cftn"),
        ([], "needs the packages onnx, onnxscript, onnxruntime; pip install 'mri-attention[share]'"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    options: list[str],
    message: str,
    run_command: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: name if options else None)
    assert run_command("benchmark", "runtimes", "--output", tmp_path / "out", *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@needs_onnx
@pytest.mark.slow
def test_measures_a_network_in_all_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_benchmark, "peak_apart", lambda *_: 2**20)
    settings = Settings(torch.device("cpu"), [32], 2, 1, None, lambda _: None)
    costs = measure_runtimes(settings, ["guided_super_resolution_sanet"])
    assert [cost.runtime for cost in costs] == list(runtime_benchmark.RUNTIMES)
    assert all(cost.difference is not None and cost.difference <= runtime_benchmark.TOLERANCE for cost in costs)
    assert all(len(cost.seconds) == 2 for cost in costs)
    assert [cost.peak is not None for cost in costs] == [True, True, False, False]


def test_runtimes_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "guided_super_resolution_sanet"
    monkeypatch.setattr(runtime_benchmark, "write_onnx", lambda *_: onnx_export.WrittenOnnx("any size", 0.0))
    monkeypatch.setitem(runtime_benchmark.RUNTIMES, "onnxruntime", lambda bundle, _: lambda x: 1.01 * bundle.network(x))
    with pytest.raises(RuntimeError, match=f"the outputs of {name} in onnxruntime differ by"):
        measure_runtimes(Settings(torch.device("cpu"), [32], 1, 1, None, lambda _: None), [name])

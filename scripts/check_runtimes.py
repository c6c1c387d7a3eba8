"""Checks that a bundle's network gives the same in other runtimes."""

from __future__ import annotations

import logging
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from .check_outcome import Outcome, failed, passed, skipped
from .checked_bundle import CheckedBundle

TOLERANCE = 1e-4
"""Largest difference relative to the largest value of the output."""


def check_torchscript(bundle: CheckedBundle) -> Outcome:
    """Check that TorchScript, scripted or else traced, gives what eager mode gives."""
    example, eager = _unseen(bundle)
    try:
        way, scripted = "scripted", torch.jit.script(bundle.network)
    except Exception as error:
        way = f"traced, as it cannot be scripted ({_line(error)})"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", torch.jit.TracerWarning)  # results are compared
                scripted = torch.jit.trace(bundle.network, bundle.example, check_trace=False)
        except Exception as traced:
            return skipped(f"cannot be scripted ({_line(error)}) nor traced ({_line(traced)})")
    with torch.no_grad():
        return _compared(scripted(example), eager, way)


def check_onnx(bundle: CheckedBundle) -> Outcome:
    """Check that onnxruntime gives what eager mode gives."""
    if missing := [name for name in ("onnx", "onnxscript", "onnxruntime") if not find_spec(name)]:
        return skipped(f"needs the packages {', '.join(missing)} (pip install 'mri-attention[share]')")
    import onnxruntime

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # warns of operators that nobody asked for
    example, eager = _unseen(bundle)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.onnx")
        try:
            torch.onnx.export(bundle.network, (bundle.example,), file, dynamo=True, verbose=False)
        except Exception as error:
            return skipped(f"cannot be exported ({_line(error)})")
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        (output,) = session.run(None, {session.get_inputs()[0].name: example.numpy()})
    return _compared(torch.from_numpy(output), eager, f"onnxruntime {onnxruntime.__version__}")


def _unseen(bundle: CheckedBundle) -> tuple[Tensor, Tensor]:
    """Return an input other than that for tracing, and what the network makes of it in eager mode."""
    example = bundle.example.flip(-1) * 0.5
    with torch.no_grad():
        return example, bundle.network(example)


def _compared(output: Tensor, eager: Tensor, way: str) -> Outcome:
    difference = float((output - eager).abs().max() / eager.abs().max().clamp_min(1e-12))
    say = passed if difference <= TOLERANCE else failed
    return say(f"differs from eager mode by up to {difference:.1e} of the largest value; {way}")


def _line(error: Exception) -> str:
    """Return the first line that tells something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:120] if lines else type(error).__name__

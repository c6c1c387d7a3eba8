"""Checks that a bundle's network gives the same in other runtimes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from ..exports.onnx_export import missing_packages, write_onnx
from ..exports.runtimes import TOLERANCE, Run, difference_from_eager, exported, first_line, traced
from ..running.built_bundle import BuiltBundle
from .outcome import Outcome, failed, passed, skipped


def check_torchscript(bundle: BuiltBundle) -> Outcome:
    """Check that TorchScript, scripted or else traced, gives what eager mode gives."""
    try:
        run: Run = torch.jit.script(bundle.network)
        way = "scripted"
    except Exception as error:
        reason = first_line(error)
        try:
            run, way = traced(bundle), f"traced, as it cannot be scripted ({reason})"
        except Exception as second:
            return skipped(f"cannot be scripted ({reason}) nor traced ({first_line(second)})")
    return _told(difference_from_eager(bundle, run), way)


def check_torch_export(bundle: BuiltBundle) -> Outcome:
    """Check that ``torch.export`` gives what eager mode gives."""
    try:
        run = exported(bundle)
    except Exception as error:
        return skipped(f"cannot be exported ({first_line(error)})")
    return _told(difference_from_eager(bundle, run), "torch.export")


def check_onnx(bundle: BuiltBundle) -> Outcome:
    """Check that onnxruntime gives what eager mode gives, with free sizes where the network allows them."""
    if missing := missing_packages():
        return skipped(f"needs the packages {', '.join(missing)} (pip install 'mri-attention[share]')")
    with tempfile.TemporaryDirectory() as folder:
        try:
            written = write_onnx(bundle, Path(folder, "model.onnx"))
        except RuntimeError as error:
            say = failed if "differs" in str(error) else skipped
            return say(f"cannot be exported ({error})")
    return _told(written.difference, f"onnxruntime, {written.form}")


def _told(difference: float, way: str) -> Outcome:
    say = passed if difference <= TOLERANCE else failed
    return say(f"differs from eager mode by up to {difference:.1e} of the largest value; {way}")

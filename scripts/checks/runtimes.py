"""Checks that a bundle's network gives the same in other runtimes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from ..exports.onnx_export import missing_packages, write_onnx
from ..exports.runtimes import TOLERANCE, Run, difference_from_eager, exported, first_line, traced
from ..running.built_bundle import BuiltBundle
from .network import not_of_one_tensor
from .outcome import Outcome, failed, passed, skipped, warned


def check_torchscript(bundle: BuiltBundle) -> Outcome:
    """Check that TorchScript gives what eager mode gives; the model zoo scripts, and lists what can be traced alone."""
    if len(bundle.inputs) < 2 and (reason := not_of_one_tensor(bundle)):
        return skipped(reason)
    try:
        run: Run = torch.jit.script(bundle.network)
    except Exception as error:
        return _traced(bundle, f"cannot be scripted, as the model zoo does it ({first_line(error)})")
    return _told(difference_from_eager(bundle, run), "scripted")


def _traced(bundle: BuiltBundle, reason: str) -> Outcome:
    """Compare the traced network; one that agrees is a matter for a person, who tells it on the bundle's page."""
    try:
        run = traced(bundle)
    except Exception as error:
        return warned(f"{reason} nor traced ({first_line(error)}); say so on the bundle's page")
    outcome = _told(difference_from_eager(bundle, run), f"traced, as it {reason}")
    return warned(f"{outcome.reason}; say so on the bundle's page") if outcome.status == "PASS" else outcome


def check_torch_export(bundle: BuiltBundle) -> Outcome:
    """Check that ``torch.export`` gives what eager mode gives."""
    if len(bundle.inputs) < 2 and (reason := not_of_one_tensor(bundle)):
        return skipped(reason)
    try:
        run = exported(bundle)
    except Exception as error:
        return skipped(f"cannot be exported ({first_line(error)})")
    return _told(difference_from_eager(bundle, run), "torch.export")


def check_onnx(bundle: BuiltBundle) -> Outcome:
    """Check that onnxruntime gives what eager mode gives, with free sizes where the network allows them."""
    if missing := missing_packages():
        return skipped(f"needs the packages {', '.join(missing)} (pip install 'mri-attention[share]')")
    if len(bundle.inputs) < 2 and (reason := not_of_one_tensor(bundle)):
        return skipped(reason)
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

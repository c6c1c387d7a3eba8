"""Checks that a bundle's network gives the same in other runtimes."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..exports.onnx_export import TOLERANCE, first_line, missing_packages, real_inputs, real_network, write_onnx
from ..running.built_bundle import BuiltBundle, tensor_of
from ..running.differences import largest_difference
from .outcome import Outcome, failed, passed, skipped


def check_torchscript(bundle: BuiltBundle) -> Outcome:
    """Check that TorchScript, scripted or else traced, gives what eager mode gives."""
    unseen = bundle.unseen()
    try:
        scripted = torch.jit.script(bundle.network)
    except Exception as error:
        reason = first_line(error)
    else:
        return _compared(bundle, lambda: scripted(*unseen), "scripted")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # results are compared
            traced = torch.jit.trace(real_network(bundle), real_inputs(bundle.examples()), check_trace=False)
    except Exception as error:
        return skipped(f"cannot be scripted ({reason}) nor traced ({first_line(error)})")
    return _compared(bundle, lambda: traced(*real_inputs(unseen)), f"traced, as it cannot be scripted ({reason})")


def check_torch_export(bundle: BuiltBundle) -> Outcome:
    """Check that ``torch.export`` gives what eager mode gives."""
    try:
        with torch.no_grad():
            program = torch.export.export(real_network(bundle), real_inputs(bundle.examples()), strict=False)
    except Exception as error:
        return skipped(f"cannot be exported ({first_line(error)})")
    return _compared(bundle, lambda: program.module()(*real_inputs(bundle.unseen())), "torch.export")


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


def _compared(bundle: BuiltBundle, run: Callable[[], Any], way: str) -> Outcome:
    with torch.no_grad():
        output: Tensor = tensor_of(run())
        eager: Tensor = tensor_of(bundle.network(*bundle.unseen()))
    return _told(largest_difference(output, eager), way)


def _told(difference: float, way: str) -> Outcome:
    say = passed if difference <= TOLERANCE else failed
    return say(f"differs from eager mode by up to {difference:.1e} of the largest value; {way}")

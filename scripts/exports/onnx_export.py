"""Writing a bundle's network as ONNX, compared with eager mode at sizes other than those of the export."""

from __future__ import annotations

import json
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ...handlers.weights import sha256
from ..running.built_bundle import BuiltBundle
from ..running.onnx_network import OnnxNetwork, network_description
from .runtimes import TOLERANCE, difference_from_eager, first_line, real_inputs, real_network

PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def missing_packages() -> list[str]:
    """Return the packages that ONNX needs and that are not here."""
    return [name for name in PACKAGES if not find_spec(name)]


class WrittenOnnx(NamedTuple):
    """How a network was written.

    Attributes:
        form: what is free: ``"any size"``, ``"any batch"`` or nothing, ``"fixed sizes"``.
        difference: the largest one from eager mode, relative to the largest value.
    """

    form: str
    difference: float


def write_onnx(bundle: BuiltBundle, file: Path) -> WrittenOnnx:
    """Write the network of ``bundle`` with any number of items in a batch and, where it allows, sizes of its own.

    The most general form is taken whose results agree with eager mode for more items and, for free sizes, for larger
    images.

    Raises:
        RuntimeError: if no form can be exported and agrees; tells why for each.
    """
    reasons = []
    for name, form in _forms(bundle).items():
        try:
            _export(bundle, form, file)
            difference = max(difference_from_eager(bundle, OnnxNetwork(file), *trial) for trial in form.trials)
        except Exception as error:
            reasons.append(f"{name}: {first_line(error)}")
            continue
        if difference <= TOLERANCE:
            return WrittenOnnx(name, difference)
        reasons.append(f"{name}: differs from eager mode by {difference:.1e} of the largest value")
    file.unlink(missing_ok=True)
    raise RuntimeError("; ".join(reasons))


class _Form(NamedTuple):
    """Free axes of each input; number of items and growth of the example, and of those to compare with eager mode."""

    free: tuple[dict[int, Any], ...]
    example: tuple[int, int]
    trials: list[tuple[int, int]]


def _forms(bundle: BuiltBundle) -> dict[str, _Form]:
    """Return the forms from the most general on."""
    auto = torch.export.Dim.AUTO
    shapes = [bundle.metadata["network_data_format"]["inputs"][name]["spatial_shape"] for name in bundle.inputs]
    sizes = tuple({0: auto} | {2 + i: auto for i, n in enumerate(shape) if isinstance(n, str)} for shape in shapes)
    return {
        "any size": _Form(sizes, (2, 1), [(1, 0), (3, 2)]),
        "any batch": _Form(tuple({0: auto} for _ in shapes), (2, 0), [(1, 0), (3, 0)]),
        "fixed sizes": _Form(tuple({} for _ in shapes), (1, 0), [(1, 0)]),
    }


def _export(bundle: BuiltBundle, form: _Form, file: Path) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # warns of operators that nobody asked for
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            real_network(bundle),
            real_inputs(bundle.examples(*form.example)),
            input_names=bundle.inputs,
            output_names=["pred"],
            dynamic_shapes={"inputs": form.free},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update({name: json.dumps(value) for name, value in _about(bundle).items()})
    program.save(file, external_data=False)


def _about(bundle: BuiltBundle) -> dict[str, Any]:
    assert bundle.inference is not None
    weights = bundle.folder / "models" / "model.pt"
    return {
        "bundle": bundle.folder.name,
        "version": bundle.metadata.get("version"),
        "network": network_description(bundle.inference),
        "weights_sha256": sha256(weights) if weights.is_file() else None,
    }

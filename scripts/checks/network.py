"""Checks that build a bundle's network and let it work on an example."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor

from ..running.built_bundle import BuiltBundle, spatial_shape, tensor_of
from .files import large_files
from .outcome import Outcome, failed, listed, passed, skipped, told, warned


def check_weights(bundle: BuiltBundle) -> Outcome:
    """Check that the weights load with ``weights_only=True`` and are exactly those of the network."""
    if not bundle.weights:
        has_any = bool(bundle.network.state_dict())
        if "models/model.pt" in large_files(bundle.folder):
            return skipped("models/model.pt is a large file, and not here (monai.bundle download_large_files)")
        return failed("no models/model.pt") if has_any else skipped("the network has no parameters")
    if bundle.inference is None:
        return skipped("no inference config")
    expected = _shapes(bundle.inference.get_parsed_content("network_def").state_dict())
    shapes = _shapes(bundle.weights)
    problems = [f"{name} is missing" for name in expected if name not in shapes]
    problems += [f"{name} is not of the network" for name in shapes if name not in expected]
    unlike = [name for name in expected if name in shapes and shapes[name] != expected[name]]
    problems += [f"{name} is {shapes[name]}, not {expected[name]}" for name in unlike]
    problems += [f"{name} is not finite" for name, value in bundle.weights.items() if not value.isfinite().all()]
    n_values = sum(value.numel() for value in bundle.weights.values())
    return told(problems, f"{len(shapes)} tensors, {n_values:,} values, all of the network")


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def check_in_out(bundle: BuiltBundle) -> Outcome:
    """Run MONAI's ``verify_net_in_out`` on the network of the inference config and on that of the training config."""
    from monai.bundle import verify_net_in_out

    if reason := not_of_one_tensor(bundle):
        return skipped(f"{reason}; the model zoo has a list of bundles that it does not check so")
    files = [file for name in ("inference", "train") if (file := bundle.config(name))]
    metadata = str(bundle.folder / "configs" / "metadata.json")
    sizes: dict[str, Any] = {**bundle.factors}
    for file in files:
        verify_net_in_out("network_def", metadata, str(file), device="cpu", **sizes)
    return passed(f"input {tuple(bundle.example.shape)}, {' and '.join(file.name for file in files)}")


def not_of_one_tensor(bundle: BuiltBundle) -> str | None:
    """Tell why the network does not map one image to one tensor on a CPU, which is all that MONAI checks."""
    if len(bundle.inputs) > 1:
        return f"the network takes several inputs: {', '.join(bundle.inputs)}"
    data_format = bundle.metadata["network_data_format"]
    if data_format["outputs"].get("pred", {}).get("type") == "object":
        return "the network gives an object"
    if data_format["inputs"]["image"]["dtype"] == "float16" and not torch.cuda.is_available():
        return "the network takes float16, which needs a GPU"
    arguments = signature(bundle.network.forward).parameters.values()
    named = [p for p in arguments if p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    needed = [p.name for p in named if p.default is p.empty]
    if len(needed) > 1:
        return f"the network takes several inputs: {', '.join(needed)}"
    return None


def check_output(bundle: BuiltBundle) -> Outcome:
    """Check type, channels and sizes of the network's output against the metadata."""
    told_output = bundle.metadata["network_data_format"]["outputs"]["pred"]
    if len(bundle.inputs) < 2 and (reason := not_of_one_tensor(bundle)):
        return skipped(reason)
    output = bundle.output
    if not isinstance(output, Tensor):
        return failed(f"the network gives a {type(output).__name__}, not a tensor")
    expected = (1, told_output["num_channels"], *spatial_shape(told_output["spatial_shape"], bundle.factors))
    problems = []
    if tuple(output.shape) != expected:
        problems.append(f"shape {tuple(output.shape)}, the metadata tell {expected}")
    if str(output.dtype) != f"torch.{told_output['dtype']}":
        problems.append(f"{output.dtype}, the metadata tell {told_output['dtype']}")
    if not output.isfinite().all():
        problems.append("not finite")
    return told(problems, f"{tuple(output.shape)}, {output.dtype}")


def check_determinism(bundle: BuiltBundle) -> Outcome:
    """Check that eval mode gives the same output twice."""
    if len(bundle.inputs) < 2 and (reason := not_of_one_tensor(bundle)):
        return skipped(reason)
    with torch.no_grad():
        again = tensor_of(bundle.network(*bundle.examples()))
    if torch.equal(again, bundle.output):
        return passed("the same output twice in eval mode")
    return warned(f"outputs differ by up to {(again - bundle.output).abs().max():.3g} in eval mode")


def check_overlays(bundle: BuiltBundle) -> Outcome:
    """Check that the network of each overlay in ``networks/`` can be built, over the inference config."""
    base = bundle.config("inference")
    files = sorted(p for p in (bundle.folder / "configs" / "networks").glob("*.*") if base)
    if not files or base is None:
        return skipped("no overlays in configs/networks")
    problems = []
    for file in files:
        try:
            bundle.parser(base, file).get_parsed_content("network_def")
        except Exception as error:
            problems.append(f"{file.name}: {' '.join(str(error.__cause__ or error).split())[:160]}")
    return failed(listed(problems)) if problems else passed(", ".join(file.stem for file in files))

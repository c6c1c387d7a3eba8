"""Files of weights: whether they are there, and whether they are those of the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets import InputError
from .bundles import network_name

if TYPE_CHECKING:
    from monai.bundle import ConfigWorkflow
    from torch import Tensor


def existing_file(model: Path) -> Path:
    """Return ``model``.

    Raises:
        InputError: if there is no such file.
    """
    if not model.is_file():
        raise InputError.at(model, "no such file of weights", "give a checkpoint that train wrote")
    return model


def find_weights(workflow: ConfigWorkflow) -> Path | None:
    """Return the workflow's file of weights, or None for a network without parameters that has none.

    MONAI's ``CheckpointLoader`` takes over what fits and is silent on the rest; hence the check.

    Raises:
        InputError: if it is missing, cannot be read, or belongs to another network.
    """
    network = workflow.parser.get_parsed_content("network_def")
    model = Path(workflow.parser.get_parsed_content("model_file"))
    if not model.is_file():
        if any(True for _ in network.parameters()):
            problem = f"no weights of {network_name(workflow)}"
            raise InputError.at(model, problem, "train it first, or give a checkpoint with --model")
        return None
    content = read_file(model, "give a checkpoint that train wrote")
    weights: dict[str, Tensor] = content.get("model", content)
    given = {name: tensor.shape for name, tensor in weights.items()}
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    if unlike := [name for name, shape in wanted.items() if given.get(name) != shape]:
        misfits = f"{len(unlike)} of {len(wanted)} tensors do not fit"
        problem = f"not weights of this {network_name(workflow)} ({misfits})"
        raise InputError.at(model, problem, "give those that were trained with the same config")
    return model


def read_file(model: Path, remedy: str) -> dict[str, Any]:
    """Return the dict that torch saved to ``model``.

    Raises:
        InputError: if it cannot be read, or holds something else; it ends with ``remedy``.
    """
    import pickle

    import torch

    try:
        content = torch.load(model, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError.at(model, "cannot be read as weights", remedy) from error
    if not isinstance(content, dict):
        raise InputError.at(model, "cannot be read as weights", remedy)
    return content

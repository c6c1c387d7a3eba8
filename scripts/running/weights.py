"""Files of weights: whether they are there, whether they are those that were shipped, and those of the network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import InputError
from .bundle import Bundle

if TYPE_CHECKING:
    from torch import Tensor

    from .configuration import Configuration


def existing_file(model: Path) -> Path:
    """Return ``model``.

    Raises:
        InputError: if there is no such file.
    """
    if not model.is_file():
        raise InputError.at(model, "no such file of weights", "give a checkpoint that train wrote")
    return model


def load_weights(configuration: Configuration, shipped_by: Bundle | None = None) -> Path | None:
    """Load ``model_file`` into the built network; return the file, or None if there was nothing to load.

    MONAI's ``CheckpointLoader`` cannot read safetensors, takes over what fits and is silent on the rest; here each
    tensor must have its place. A network without parameters needs no file, and the bundle's is not of it; but what was
    fitted to data in another way, such as a threshold, is loaded from a file that the user chose.

    Args:
        configuration: built, with each ``CheckpointLoader`` disabled, in whose place this comes.
        shipped_by: the bundle in whose metadata the file's SHA-256 may stand; None for a file that the user chose.

    Raises:
        InputError: if the file is missing, is not what the metadata tell, cannot be read, or is of another network.
    """
    network = configuration.value("network_def")
    model = Path(configuration.value("model_file"))
    is_fitted = bool(network.state_dict()) and shipped_by is None
    if not (any(True for _ in network.parameters()) or is_fitted):
        return None
    if not model.is_file():
        problem = f"no weights of {configuration.network_name}"
        raise InputError.at(model, problem, "train it first, or give a checkpoint as `model_file`")
    if shipped_by is not None:
        verify_shipped(model, shipped_by)
    weights = read_weights(model)
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    given = {name: getattr(tensor, "shape", None) for name, tensor in weights.items()}
    if unlike := [name for name in wanted | given if name not in wanted or given.get(name) != wanted[name]]:
        misfits = f"{len(unlike)} of {len(wanted | given)} tensors do not fit"
        problem = f"not weights of this {configuration.network_name} ({misfits})"
        raise InputError.at(model, problem, "give those that were trained with the same config")
    network.load_state_dict(weights)
    return model


def verify_shipped(model: Path, bundle: Bundle) -> None:
    """Compare ``model`` with the SHA-256 that the metadata of ``bundle`` tell of it, if they do.

    Raises:
        InputError: if it is another file than the one that was shipped.
    """
    hashes = bundle.metadata.get("weights_sha256", {})
    expected = {(bundle.folder / name).resolve(): digest for name, digest in hashes.items()}.get(model.resolve())
    if expected is not None and (found := sha256(model)) != expected:
        told = f"SHA-256 {found[:12]}..., its metadata.json tells {expected[:12]}..."
        problem = f"not the weights that were shipped ({told})"
        raise InputError.at(model, problem, "get the bundle anew, or give weights of your own as `model_file`")


def sha256(file: Path) -> str:
    """Return the SHA-256 of ``file`` in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_weights(model: Path, remedy: str = "give a checkpoint that train wrote") -> dict[str, Tensor]:
    """Return the tensors by name in a ``.safetensors`` file, or one that torch saved.

    There they may stand alone, or in a checkpoint under ``model`` or ``state_dict``.

    Raises:
        InputError: if it cannot be read, or holds something else; it ends with ``remedy``.
    """
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if model.suffix == ".safetensors":
            return dict(load_file(model))
        content: Any = torch.load(model, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise InputError.at(model, "cannot be read as weights", remedy) from error
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, dict):
        raise InputError.at(model, "cannot be read as weights", remedy)
    return content

"""Weights from a file into a network: all of them, and those that are meant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.input_error import InputError
from ..datasets.number_signs import remedy_for
from .whole_files import load_whole

if TYPE_CHECKING:
    from ignite.engine import Engine
    from torch import Tensor, nn


class WeightsLoader:
    """Load a file of weights into a network as soon as an engine gets this handler, before it runs.

    In the place of MONAI's ``CheckpointLoader``, which cannot read safetensors and does not know what was shipped. The
    file may be ``.safetensors``, or what torch saved: tensors by name, alone or under ``model`` or ``state_dict``;
    nothing else in it is run. Each tensor must have its place. Where the bundle in whose ``models`` the file lies
    tells its SHA-256 as ``weights_sha256`` in ``metadata.json``, that is compared.

    A part of the network whose ``optional_weights`` is true keeps what it begins with where the file has nothing of it:
    parts that came later, and begin by changing nothing.

    A network without parameters needs no file, and that of a bundle is not of it; but what was fitted to data in
    another way, such as a threshold, is loaded from a file that did not ship.

    Args:
        file: of the weights.
        network: gets them; of what ``DistributedDataParallel`` wraps, the module.

    Attributes:
        loaded: the file, once its weights are in the network; None for a network that needs none.

    Raises:
        InputError: when attached, if the file is missing, is not what the metadata tell, cannot be read, is of another
            network, or holds numbers that are not finite.
    """

    def __init__(self, file: Path | str, network: nn.Module) -> None:
        self.file = Path(file)
        self.network = _unwrapped(network)
        self.loaded: Path | None = None

    def attach(self, engine: Engine) -> None:
        """Load the weights; nothing is left to do while ``engine`` runs."""
        self(engine)

    def __call__(self, engine: Engine) -> None:
        """Load the weights."""
        if not (any(True for _ in self.network.parameters()) or self._is_fitted()):
            return
        _require_file(self.file, f"no weights of {type(self.network).__name__}")
        verify_shipped(self.file)
        weights = self._optional() | read_weights(self.file)
        self._require_same(weights)
        self._require_finite(weights)
        self.network.load_state_dict(weights)
        self.loaded = self.file

    def _is_fitted(self) -> bool:
        """Tell whether the file holds values of a network without parameters."""
        if not self.network.state_dict():
            return False
        hashes = shipped_hashes(self.file)
        return hashes is None or (self.file.is_file() and bool(hashes) and self.file.name not in hashes)

    def _optional(self) -> dict[str, Tensor]:
        """Return what parts that came later begin with."""
        parts = (item for item in self.network.named_modules() if getattr(item[1], "optional_weights", False))
        return {name: tensor for place, part in parts for name, tensor in part.state_dict(prefix=f"{place}.").items()}

    def _require_same(self, weights: Mapping[str, Any]) -> None:
        wanted = {name: tensor.shape for name, tensor in self.network.state_dict().items()}
        given = {name: getattr(tensor, "shape", None) for name, tensor in weights.items()}
        if unlike := [name for name in wanted | given if name not in wanted or given.get(name) != wanted[name]]:
            misfits = f"{len(unlike)} of {len(wanted | given)} tensors do not fit, such as {unlike[0]}"
            problem = f"not weights of this {type(self.network).__name__} ({misfits})"
            raise InputError.at(self.file, problem, "give those that were trained with the same config")

    def _require_finite(self, weights: Mapping[str, Tensor]) -> None:
        if bad := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
            problem = f"{len(bad)} of {len(weights)} tensors hold NaN or Inf, such as {bad[0]}"
            remedy = "give an earlier checkpoint, or train again with a lower `learning_rate`"
            raise InputError.at(self.file, problem, remedy)


def _unwrapped(network: nn.Module) -> nn.Module:
    from torch.nn.parallel import DataParallel, DistributedDataParallel

    return network.module if isinstance(network, DataParallel | DistributedDataParallel) else network


def existing_file(model: Path) -> Path:
    """Return ``model``.

    Raises:
        InputError: if there is no such file.
    """
    if not model.is_file():
        here = "" if model.is_absolute() else f" (here is {Path.cwd()})"
        raise InputError.at(model, "no such file of weights", f"train it first, or give a checkpoint{here}")
    return model


def _require_file(model: Path, problem: str) -> None:
    """Check that a config's file is there, which may be relative to where MONAI's own commands are run."""
    if model.is_file():
        return
    remedy = "train it first, or give a checkpoint as `model_file`"
    if others := sorted(path.name for path in model.parent.glob("*.pt")):
        problem = f"{problem}; in this folder are {', '.join(others)}"
    if not model.is_absolute():
        remedy = f"give the bundle's folder as --bundle_root, or a checkpoint as `model_file` (here is {Path.cwd()})"
    raise InputError.at(model, problem, remedy_for(model, remedy))


def shipped_hashes(model: Path) -> dict[str, str] | None:
    """Return what the metadata of the bundle in which ``model`` lies tell of its ``models``: SHA-256 by file name.

    None where it does not lie in a bundle.

    Raises:
        InputError: if the metadata cannot be read.
    """
    folder = model.absolute().parent
    metadata = folder.parent / "configs" / "metadata.json"
    if folder.name != "models" or not metadata.is_file():
        return None
    try:
        hashes = json.loads(metadata.read_text(encoding="utf-8")).get("weights_sha256", {})
        return {name.removeprefix("models/"): str(digest) for name, digest in hashes.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError.at(metadata, f"cannot be read ({error})", "get the bundle anew") from error


def verify_shipped(model: Path) -> None:
    """Compare ``model`` with the SHA-256 that the metadata of the bundle in which it lies tell of it, if they do.

    Raises:
        InputError: if it is another file than the one that was shipped.
    """
    expected = (shipped_hashes(model) or {}).get(model.name)
    if expected is not None and (found := sha256(model)) != expected:
        told = f"SHA-256 {found[:12]}..., its metadata.json tells {expected[:12]}..."
        problem = f"not the weights that were shipped ({told})"
        remedy = "get the bundle anew, or give weights of your own, from another folder, as `model_file`"
        raise InputError.at(model, problem, remedy)


def sha256(file: Path) -> str:
    """Return the SHA-256 of ``file`` in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_weights(model: Path, remedy: str = "give a checkpoint that train wrote") -> dict[str, Tensor]:
    """Return the tensors by name in a ``.safetensors`` file, or one that torch saved.

    There they may stand alone, or in a checkpoint under ``model`` or ``state_dict``.

    Raises:
        InputError: if it cannot be read, would run code, or holds something else; it ends with ``remedy``.
    """
    try:
        content = _read(model)
    except Exception as error:  # of the many that readers raise for damaged files
        reason = "it holds code beside tensors" if _is_refused(error) else "it is damaged, or of another kind"
        problem = f"cannot be read as weights: {reason}"
        raise InputError.at(model, problem, remedy) from error
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise InputError.at(model, "cannot be read as weights", remedy)
    return dict(content)


def _read(model: Path) -> Any:
    if model.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(model)
    return load_whole(model)


def _is_refused(error: Exception) -> bool:
    """Tell whether torch could read it, but only by running what it holds."""
    return "weights_only" in str(error) and "GLOBAL" in str(error)

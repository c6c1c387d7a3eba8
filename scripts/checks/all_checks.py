"""All checks of a bundle, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from ..running.built_bundle import BuiltBundle
from ..running.bundle import code_of
from ..running.third_parties import silence_loggers
from .configs import check_agreement, check_configs, check_required_ids
from .files import check_changelog, check_hashes, check_metadata, check_required_files, check_versions
from .network import check_determinism, check_in_out, check_output, check_overlays, check_weights
from .outcome import Outcome, failed, skipped
from .runtimes import check_onnx, check_torch_export, check_torchscript
from .security import check_code, check_expressions, check_network_access, check_paths, check_pickles

Subject = TypeVar("Subject")

READING: dict[str, Callable[[Path], Outcome]] = {
    "required files": check_required_files,
    "metadata": check_metadata,
    "changelog": check_changelog,
    "package versions": check_versions,
    "weights' SHA-256": check_hashes,
    "security: expressions": check_expressions,
    "security: code": check_code,
    "security: weights": check_pickles,
    "security: network": check_network_access,
    "paths": check_paths,
}
"""Checks that run nothing of the bundle."""

RUNNING: dict[str, Callable[[BuiltBundle], Outcome]] = {
    "configs": check_configs,
    "required ids": check_required_ids,
    "train and inference": check_agreement,
    "weights": check_weights,
    "network overlays": check_overlays,
    "verify_net_in_out": check_in_out,
    "output": check_output,
    "determinism": check_determinism,
    "TorchScript": check_torchscript,
    "torch.export": check_torch_export,
    "ONNX": check_onnx,
}
"""Checks that import what the configs name and build the network."""


def check_bundle(folder: Path, *, trust: bool) -> Iterator[tuple[str, Outcome]]:
    """Yield name and outcome of each check; without ``trust`` nothing of a suspicious bundle is run.

    Args:
        folder: of the bundle.
        trust: run code that the bundle brings, or expressions that the security report objects to.
    """
    outcomes = {}
    for name, check in READING.items():
        outcomes[name] = _outcome(check, folder)
        yield name, outcomes[name]
    bundle = BuiltBundle(folder)
    if reason := (None if trust else _reason_for_distrust(folder, outcomes)) or _missing_metadata(bundle):
        yield from ((name, skipped(reason)) for name in RUNNING)
        return
    import monai.bundle  # noqa: F401 (makes loggers of its own)

    silence_loggers()
    with code_of(folder):
        yield from ((name, _outcome(running, bundle)) for name, running in RUNNING.items())


def _outcome(check: Callable[[Subject], Outcome], subject: Subject) -> Outcome:
    try:
        return check(subject)
    except Exception as error:
        import torch

        cause = error.__cause__ or error
        if "CUDA" in str(cause) and not torch.cuda.is_available():
            return skipped("needs a GPU")
        return failed(f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}")


def _reason_for_distrust(folder: Path, outcomes: dict[str, Outcome]) -> str | None:
    objections = [
        name for name, outcome in outcomes.items() if name.startswith("security") and outcome.status == "FAIL"
    ]
    if objections:
        return f"not run, because of {', '.join(objections)}; --trust runs it"
    if any(folder.rglob("*.py")):
        return "not run, because the bundle brings code of its own; read it, then --trust runs it"
    return None


def _missing_metadata(bundle: BuiltBundle) -> str | None:
    try:
        bundle.metadata  # noqa: B018 (is read here)
    except FileNotFoundError:
        return "no metadata"
    except ValueError as error:
        return f"metadata cannot be read ({error})"
    return None

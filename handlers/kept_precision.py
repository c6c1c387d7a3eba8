"""The precision in which a training computes: chosen once, and kept when it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .checkpoint_files import CheckpointFiles, iteration_of, read_checkpoint


def training_precision(folder: Path | str, choose: Callable[[], bool], resume: bool = False) -> bool:
    """Tell whether a training computes in bfloat16: as it began, where it goes on, else by ``choose``.

    Checkpoints of versions that went by flags of the processor do not tell; such a training chooses anew.

    Args:
        folder: of the checkpoints.
        choose: tells what is faster, such as :func:`mri_attention.networks.inferers.faster_in_bfloat16`.
        resume: go on from the newest whole checkpoint, if there is one.
    """
    contents = [read_checkpoint(file) for file in CheckpointFiles(Path(folder)).all()] if resume else []
    newest = max((content for content in contents if content), key=iteration_of, default={})
    kept = (newest.get("progress") or {}).get("settings", {}).get("half_precision")
    return choose() if kept is None else bool(kept)

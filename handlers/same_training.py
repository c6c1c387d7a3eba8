"""Whether a checkpoint is one of the training that is to go on from it."""

from __future__ import annotations

import json
import logging
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from ..datasets import InputError
from .whole_files import state_of

logger = logging.getLogger(__name__)


def require_same_network(file: Path, content: Mapping[str, Any], network: nn.Module) -> None:
    """Check that the checkpoint is one of ``network``.

    Raises:
        InputError: if names or shapes of the weights differ.
    """
    ours, theirs = state_of(network), content["model"]
    differing = sorted(ours.keys() ^ theirs.keys()) or [name for name in ours if ours[name].shape != theirs[name].shape]
    if differing:
        remedy = "give the overlays and settings of the training that stopped, or choose another `output_dir`"
        raise InputError.at(file, f"of another network ({differing[0]} differs)", remedy)


def require_all(file: Path, content: Mapping[str, Any], names: Iterable[str]) -> None:
    """Check that the checkpoint holds everything that a training goes on with, by ``names``.

    Raises:
        InputError: if something is not there.
    """
    if missing := [name for name in names if name not in content]:
        remedy = "begin anew in another `output_dir`; with `start_from` its weights are the first ones"
        raise InputError.at(file, f"of an earlier version (no {', '.join(missing)} in it)", remedy)


def require_same_steps(file: Path, content: Mapping[str, Any], steps: int) -> None:
    """Check that the epochs of the checkpoint had as many ``steps``.

    Raises:
        InputError: if they had not.
    """
    length = content["trainer"].get("epoch_length")
    if length != steps:
        remedy = f"set `steps` to {length}, or choose another `output_dir`"
        raise InputError.at(file, f"of epochs of {length} steps, not {steps}", remedy)


def tell_changes(file: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Tell which settings are not those of the checkpoint."""
    changed = [name for name in before if name in now and before[name] != now[name]]
    if changed:
        changes = ", ".join(f"`{name}` {now[name]} (was {before[name]})" for name in changed)
        remark = "optimizer and schedule of the learning rate stay as they were"
        logger.warning("%s: going on with another %s; %s", file, changes, remark)


def in_short(value: Any) -> Any:
    """Return numbers and words as they are, and of all else the number of items and a checksum of its file names."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    names = re.sub(r'[^"]*/', "", json.dumps(value, default=str, sort_keys=True))
    return f"{len(value)} items ({zlib.crc32(names.encode()):08x})"

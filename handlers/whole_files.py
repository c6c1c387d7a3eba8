"""Files of weights and checkpoints that are whole, whenever the program or the machine stops."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..datasets import InputError
from ..datasets.writing import replacing


def save_whole(content: Any, file: Path | str) -> None:
    """Write ``content`` as ``torch.save`` does, to a file beside, on the disk for certain, which then takes its name.

    Raises:
        InputError: if the file cannot be written, on a full disk for example; what was there stays.
    """
    file = Path(file)
    buffer = io.BytesIO()  # torch.save itself tells a full disk by "basic_ios::clear: iostream error"
    torch.save(content, buffer)
    try:
        with replacing(file) as temporary, temporary.open("wb") as stream:
            stream.write(buffer.getbuffer())
            stream.flush()
            os.fsync(stream.fileno())
    except InputError as error:
        problem = f"cannot be written ({getattr(error.__cause__, 'strerror', None) or error.__cause__})"
        remedy = "what was there stays; free some space, then set `resume` to true to go on"
        raise InputError.at(file, problem, remedy) from error


def load_whole(file: Path | str) -> Any:
    """Read what ``torch.save`` wrote, tensors and plain values alone.

    Raises:
        Exception: of the many that torch raises for damaged files; ``BadZipFile`` for a wrong checksum, which torch
            writes but does not compare.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if (damaged := archive.testzip()) is not None:
                raise zipfile.BadZipFile(damaged)
    return torch.load(file, map_location="cpu", weights_only=True)


def state_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the state dict of ``network``, without the wrapper of several processes."""
    return unwrapped(network).state_dict()


def unwrapped(item: Any) -> Any:
    """Return the network that several processes share, or ``item`` as it is."""
    return item.module if isinstance(item, nn.parallel.DistributedDataParallel | nn.DataParallel) else item

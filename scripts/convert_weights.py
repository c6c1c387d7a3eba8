"""The command ``convert-weights``: a checkpoint of another implementation, for a network of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .running.outputs import staged
from .terminal.console import announce, console


def convert_weights(
    original: Annotated[
        str, typer.Argument(help="What wrote FILE, such as non-local; a word that is not known lists all.")
    ],
    file: Annotated[Path, typer.Argument(help="Checkpoint: a state dict, or a dict with one under state_dict.")],
    output: Annotated[Path, typer.Option(help="New file: network, config, state_dict; also for --model.")],
) -> None:
    """Convert a checkpoint of another implementation, and infer the network's arguments from its shapes."""
    from ..handlers.weights import existing_file, read_weights

    existing_file(file)
    if output.exists():
        raise InputError.at(output, "is there already", "choose another output file, or remove it")
    announce(f"converting {file}")
    import torch

    from ..networks.conversion import ORIGINALS, convert_state_dict

    if original not in ORIGINALS:
        raise InputError.at(original, "not a known original", f"choose one of {', '.join(ORIGINALS)}")
    content = read_weights(file, "give a checkpoint that torch.save wrote")
    try:
        converted = convert_state_dict(original, content)
    except ValueError as error:
        raise InputError.at(file, str(error), "check ORIGINAL and the file") from error
    with staged(output.parent) as stage:
        # under model once more, where the bundles' checkpoints have it; torch writes the tensors once
        torch.save({**vars(converted), "model": converted.state_dict}, stage / output.name)
    console().print(f"{converted.network} {converted.config} in {output}")

"""The command ``benchmark``: what things cost on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..datasets import InputError
from .running.outputs import require_new, staged
from .terminal.console import console
from .terminal.selection import Overwrite

if TYPE_CHECKING:
    import torch


def benchmark(  # noqa: PLR0913 (one argument per option)
    name: Annotated[
        str, typer.Argument(help="What to measure: attention, cross-scale, inference, kspace, runtimes, training.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for JSON, Markdown and plot.")] = Path("benchmark"),
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of timing.")] = 7,
    channels: Annotated[int, typer.Option(min=1, help="Of the features, for blocks.")] = 64,
    sizes: Annotated[
        str | None,
        typer.Option(
            help="Edges of cubes, the last for the table (such as 8,16,32), slices (256,320) or patches (64)."
        ),
    ] = None,
    blocks: Annotated[
        str | None, typer.Option(help="Only these blocks, or bundles, with commas between, such as folded,self.")
    ] = None,
    dataset_dir: Annotated[Path | None, typer.Option(help="Labelled cases, for inference.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure parameters, operations, memory and time, side by side, and write JSON, a table and a plot."""
    from .benchmarks.all_benchmarks import BENCHMARKS
    from .benchmarks.measurement import describe_machine
    from .benchmarks.result import Settings

    if name not in BENCHMARKS:
        raise InputError.at(name, "no such benchmark", f"choose among {', '.join(BENCHMARKS)}")
    place, edges = _device(device), _integers(sizes or BENCHMARKS[name].sizes)
    names = None if blocks is None else [part.strip() for part in blocks.split(",")]
    require_new((output / f"{name}.{kind}" for kind in ("json", "md", "png")), overwrite)
    with staged(output, overwrite) as stage, console().status("starting") as status:
        machine = describe_machine(place)
        result = BENCHMARKS[name].run(Settings(place, edges, rounds, channels, names, status.update, dataset_dir))
        files = result.write(stage, name, machine)
    console().print(result.table, soft_wrap=True)
    console().print(f"Written to {output}: {', '.join(files)}")


def _integers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError.at(f"--sizes {text}", "not whole numbers", "give such as 8,16,32") from error
    if min(numbers) < 2:
        raise InputError.at(f"--sizes {text}", "edges smaller than 2", "give larger ones")
    return sorted(numbers)


def _device(name: str) -> torch.device:
    import torch

    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise InputError.at(f"--device {name}", "no such device here", "give cpu, or cuda where there is one")
    return torch.device(name)

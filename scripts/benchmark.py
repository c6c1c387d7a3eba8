"""The command ``benchmark``: what things cost on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..datasets import InputError
from .console import console, quiet_third_parties
from .outputs import staged

if TYPE_CHECKING:
    import torch

NAMES = {"attention": "folded", "cross-scale": "cross-scale"}
"""Benchmarks, and the block to which each compares the others."""


def benchmark(
    name: Annotated[str, typer.Argument(help=f"What to measure: {', '.join(NAMES)}.")],
    output: Annotated[Path, typer.Option(help="Folder for JSON, Markdown and plot.")] = Path("benchmark"),
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of timing.")] = 7,
    channels: Annotated[int, typer.Option(min=1, help="Of the features.")] = 64,
    sizes: Annotated[str, typer.Option(help="Edges of the cubes, the last for the table.")] = "8,12,16,24,32",
) -> None:
    """Measure parameters, operations, memory and time, side by side, and write JSON, a table and a plot."""
    if name not in NAMES:
        raise InputError.at(name, "no such benchmark", f"choose among {', '.join(NAMES)}")
    edges = _integers(sizes)
    quiet_third_parties()
    with staged(output) as stage, console().status("starting") as status:
        from .attention_benchmark import measure_attention
        from .attention_costs import cost_curves, cost_rows, header, markdown
        from .cross_scale_cases import cross_scale_cases

        cases = cross_scale_cases() if name == "cross-scale" else None
        result = measure_attention(_device(device), channels, edges, rounds, status.update, cases)
        table = markdown(header(NAMES[name]), cost_rows(result.at(edges[-1]), NAMES[name]))
        facts = "".join(f"- {key}: {value}\n" for key, value in result.machine.items())
        left_out = f"\nDid not fit: {', '.join(result.left_out)}.\n" if result.left_out else ""
        title = f"# {name.capitalize()} blocks at 1 x {channels} x {edges[-1]}^3\n\n"
        (stage / f"{name}.json").write_text(json.dumps(result.content(), indent=2) + "\n")
        (stage / f"{name}.md").write_text(f"{title}{facts}\n{table}{left_out}")
        (stage / f"{name}.png").write_bytes(cost_curves(result, NAMES[name]))
    console().print(table, soft_wrap=True)
    console().print(f"Written to {output}: {name}.json, {name}.md, {name}.png")


def _integers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError.at(f"--sizes {text}", "not whole numbers", "give such as 8,16,32") from error
    if min(numbers) < 2:
        raise InputError.at(f"--sizes {text}", "cubes smaller than 2", "give larger ones")
    return sorted(numbers)


def _device(name: str) -> torch.device:
    import torch

    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise InputError.at(f"--device {name}", "no such device here", "give cpu, or cuda where there is one")
    return torch.device(name)

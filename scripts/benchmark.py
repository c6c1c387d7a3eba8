"""The command ``benchmark``: what things cost on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ..datasets import InputError
from .running.outputs import staged
from .terminal.console import console, quiet_third_parties

if TYPE_CHECKING:
    import torch

    from .benchmarks.attention_cases import AttentionCase

Progress = Callable[[str], None]


class Result(NamedTuple):
    """What a benchmark found: numbers, table, more text, and plot."""

    title: str
    machine: Mapping[str, str]
    content: Mapping[str, object]
    table: str
    remark: str
    plot: bytes


def benchmark(
    name: Annotated[str, typer.Argument(help="What to measure: attention, cross-scale, kspace, runtimes, training.")],
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
) -> None:
    """Measure parameters, operations, memory and time, side by side, and write JSON, a table and a plot."""
    if name not in SIZES:
        raise InputError.at(name, "no such benchmark", f"choose among {', '.join(SIZES)}")
    edges, place = _integers(sizes or SIZES[name]), _device(device)
    quiet_third_parties()
    with staged(output) as stage, console().status("starting") as status:
        if name == "kspace":
            result = _kspace(place, edges, rounds, status.update)
        elif name == "runtimes":
            result = _runtimes(place, blocks, edges, rounds, status.update)
        elif name == "training":
            result = _training(place, edges, rounds, status.update)
        else:
            chosen = _choose(name, blocks)
            result = _blocks(name, chosen, place, channels, edges, rounds, status.update)
        facts = "".join(f"- {key}: {value}\n" for key, value in result.machine.items())
        (stage / f"{name}.json").write_text(json.dumps(result.content, indent=2) + "\n")
        (stage / f"{name}.md").write_text(f"# {result.title}\n\n{facts}\n{result.table}{result.remark}")
        (stage / f"{name}.png").write_bytes(result.plot)
    console().print(result.table, soft_wrap=True)
    console().print(f"Written to {output}: {name}.json, {name}.md, {name}.png")


SIZES = {
    "attention": "8,12,16,24,32",
    "cross-scale": "8,16,24,32",
    "kspace": "256,320",
    "runtimes": "192",
    "training": "64",
}
"""The benchmarks, and the sizes that they take by default."""

REFERENCES = {"attention": "folded", "cross-scale": "cross-scale"}
"""The block to which each benchmark of blocks compares the others."""


def _choose(name: str, blocks: str | None) -> list[AttentionCase]:
    """Return the cases of a benchmark, or those of ``blocks`` and the one to which all are compared."""
    from .benchmarks.attention_cases import attention_cases
    from .benchmarks.cross_scale_cases import cross_scale_cases

    cases = cross_scale_cases() if name == "cross-scale" else attention_cases()
    if blocks is None:
        return cases
    wanted = {part.strip() for part in blocks.split(",")}
    if unknown := sorted(wanted - {case.name for case in cases}):
        known = ", ".join(case.name for case in cases)
        raise InputError.at(f"--blocks {', '.join(unknown)}", "no such block", f"choose among {known}")
    return [case for case in cases if case.name in wanted | {REFERENCES[name]}]


def _blocks(
    name: str,
    cases: list[AttentionCase],
    device: torch.device,
    channels: int,
    edges: list[int],
    rounds: int,
    progress: Progress,
) -> Result:
    from .benchmarks.attention import measure_attention
    from .benchmarks.attention_costs import cost_curves, cost_rows, header, markdown

    found = measure_attention(device, channels, edges, rounds, progress, cases)
    title = f"{name.capitalize()} blocks at 1 x {channels} x {edges[-1]}^3"
    table = markdown(header(REFERENCES[name]), cost_rows(found.at(edges[-1]), REFERENCES[name]))
    left_out = f"\nDid not fit: {', '.join(found.left_out)}.\n" if found.left_out else ""
    return Result(title, found.machine, found.content(), table, left_out, cost_curves(found, REFERENCES[name]))


def _kspace(device: torch.device, edges: list[int], rounds: int, progress: Progress) -> Result:
    from .benchmarks.attention_costs import markdown
    from .benchmarks.kspace import HEADER, N_SLICES, kspace_bars, kspace_rows, measure_kspace

    found = measure_kspace(device, edges, rounds, progress)
    title = f"Undersampling the k-space of {N_SLICES} slices"
    remark = "\nOutputs are equal up to rounding. Medians; the ratio of the same round with quartiles.\n"
    table = markdown(HEADER, kspace_rows(found.times))
    return Result(title, found.machine, found.content(), table, remark, kspace_bars(found))


def _runtimes(device: torch.device, names: str | None, edges: list[int], rounds: int, progress: Progress) -> Result:
    from .benchmarks.attention_costs import markdown
    from .benchmarks.runtime_table import HEADER, runtime_bars, runtime_rows
    from .benchmarks.runtimes import measure_runtimes
    from .exports.onnx_export import missing_packages
    from .running.bundles import BUNDLES

    if device.type != "cpu":
        raise InputError.at(f"--device {device}", "other runtimes are measured on the CPU", "leave it out")
    if missing := missing_packages():
        problem = f"needs the packages {', '.join(missing)}"
        raise InputError.at("benchmark runtimes", problem, "pip install 'mri-attention[share]'")
    known = sorted(file.parents[1].name for file in BUNDLES.glob("*/models/model.pt"))
    chosen = known if names is None else [part.strip() for part in names.split(",")]
    if unknown := sorted(set(chosen) - set(known)):
        raise InputError.at(f"--blocks {', '.join(unknown)}", "no such bundle", f"choose among {', '.join(known)}")
    found = measure_runtimes(chosen, edges[-1], rounds, progress)
    remark = "\nDifferences are relative to the largest value. Medians; the ratio of the same round with quartiles.\n"
    table = markdown(HEADER, runtime_rows(found.costs))
    return Result(
        "Shipped networks in other runtimes", found.machine, found.content(), table, remark, runtime_bars(found)
    )


def _training(device: torch.device, edges: list[int], rounds: int, progress: Progress) -> Result:
    from .benchmarks.attention_costs import markdown
    from .benchmarks.training import HEADER, N_PATCHES, measure_training, training_bars, training_rows

    found = measure_training(device, edges, rounds, progress)
    title = f"Steps of training SANet on {N_PATCHES} patches"
    remark = "\nMedians; the ratio of the same round with quartiles. Memory is the peak beyond weights and images.\n"
    return Result(
        title,
        found.machine,
        found.content(),
        markdown(HEADER, training_rows(found.costs)),
        remark,
        training_bars(found),
    )


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

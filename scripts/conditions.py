"""The command ``conditions``: reconstructions of one dataset under several masks and accelerations."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import InputError
from .reports.condition_tables import (
    METRICS,
    Condition,
    ConditionResult,
    condition_table,
    write_condition_csv,
    write_condition_markdown,
    write_condition_summary,
)
from .running.bundle import Bundle
from .running.configuration import Configuration
from .running.evaluation import CONFIGS, Contestant, evaluate_network
from .running.outputs import staged
from .running.provenance import describe_run
from .running.weights import existing_file
from .terminal.console import announce, console, print_table
from .terminal.overrides import parse_overrides
from .terminal.progress import ProgressBars

SETS = {  # of Feng et al. (MANet), Tables I and II
    "ixi": "uniform-6,uniform-9,random-3,random-6,radial-6,radial-9,spiral-6,spiral-9",
    "fastmri": "random-4,random-8,equispaced-4,equispaced-8",
}


def conditions(
    bundle: Annotated[str, typer.Argument(help="Name of a reconstruction bundle, or its folder.")],
    dataset_dir: Annotated[Path, typer.Option(help="BIDS folder or JSON datalist.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="For MONAI, unchanged, after --: -- --noise 0.1")
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Default: runs/BUNDLE/conditions.")] = None,
    network: Annotated[
        str, typer.Option(help="default or OVERLAY, with =WEIGHTS where they are elsewhere, with commas between.")
    ] = "default,networks/zero_filled,networks/compressed_sensing",
    condition: Annotated[
        str, typer.Option(help="ixi, fastmri, or MASK-ACCELERATION such as radial-6, with commas between.")
    ] = "ixi,fastmri",
    subject: Annotated[list[str] | None, typer.Option(help="Only these subjects.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep the reconstructed volumes.")] = False,
) -> None:
    """Evaluate networks of BUNDLE under several masks and accelerations: tables and pictures."""
    found = Bundle.find(bundle)
    chosen, contestants = parse_conditions(condition), [_parse_network(text) for text in network.split(",")]
    found.config_files([*CONFIGS, *(c.overlay for c in contestants if c.overlay is not None)])
    if not dataset_dir.exists():
        raise InputError.at(dataset_dir, "no such folder or datalist", "check --dataset-dir")
    output = output_dir or Path("runs") / found.name / "conditions"
    settings = {"dataset_dir": str(dataset_dir), **parse_overrides(overrides or [])}
    for name in ("mask", "acceleration", "pictures"):
        Configuration(found, CONFIGS, settings).value(name)
    with staged(output) as stage:
        results = []
        for each in chosen:
            results += _evaluate(found, settings, each, contestants, subject, stage)
            if not keep:
                shutil.rmtree(stage / str(each))
        models = {result.evaluation.network: result.evaluation.model for result in results}
        write_condition_csv(results, stage / "conditions.csv")
        write_condition_markdown(results, stage / "conditions.md")
        provenance = describe_run(found, list(CONFIGS), dataset_dir, models) | {"settings": settings}
        write_condition_summary(results, provenance, stage / "conditions.json")
    for metric in METRICS:
        print_table("Mean ± standard deviation over volumes", *condition_table(results, metric))
    console().print(f"tables:   {output / 'conditions.md'}\npictures: {output}/*.png")


def parse_conditions(text: str) -> list[Condition]:
    """Read names of sets and conditions, with commas between, each condition once.

    Raises:
        InputError: if one is neither a set nor a mask with an acceleration.
    """
    from ..transforms.masks import MASKS

    found = []
    for part in ",".join(SETS.get(name, name) for name in text.split(",")).split(","):
        mask, _, acceleration = part.strip().rpartition("-")
        try:
            factor = float(acceleration)
        except ValueError:
            factor = 0.0
        if mask not in MASKS or not factor >= 1:
            remedy = f"write {', '.join(SETS)} or one of {', '.join(MASKS)} with a number, as in radial-6"
            raise InputError.at(f"--condition {part}", "no such condition", remedy)
        found.append(Condition(mask, factor))
    return list(dict.fromkeys(found))


def _parse_network(text: str) -> Contestant:
    name, _, model = text.strip().partition("=")
    return Contestant(None if name == "default" else name, existing_file(Path(model)) if model else None)


def _evaluate(
    bundle: Bundle,
    settings: dict[str, Any],
    condition: Condition,
    contestants: list[Contestant],
    subjects: list[str] | None,
    stage: Path,
) -> list[ConditionResult]:
    """Evaluate all networks under one condition, and draw what they made of the first case."""
    from .reports.condition_figures import draw_condition, sampling_mask

    drawn = {**settings, "mask": condition.mask, "acceleration": condition.acceleration}
    results = []
    for contestant in contestants:
        announce(condition.title)
        paths = {"output_dir": str(stage / str(condition) / contestant.folder)}
        with ProgressBars() as progress:
            evaluation = evaluate_network(bundle, CONFIGS, drawn | paths, contestant, subjects, progress)
        results.append(ConditionResult(condition, evaluation))
    mask = sampling_mask(bundle, CONFIGS, settings, condition, results[0].evaluation.cases[0]["subject"])
    pictures = Configuration(bundle, CONFIGS, settings).value("pictures")
    draw_condition(results, pictures, mask, stage / f"{condition}.png")
    return results

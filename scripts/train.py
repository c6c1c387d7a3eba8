"""The command ``train``: MONAI's training workflow of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .running import Bundle
from .running import train as train_bundle
from .running.configuration import Configuration
from .terminal.console import ProgressBars, console
from .terminal.overrides import parse_overrides
from .terminal.selection import Acquisitions, Runs, Sessions, SkipIncomplete, Subjects, selection_settings


def train(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    dataset_dir: Annotated[Path, typer.Option(help="BIDS folder or JSON datalist.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="For MONAI, after --: -- --train::trainer::max_epochs 5"),
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Default: runs/BUNDLE/training.")] = None,
    overlay: Annotated[
        list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle, e.g. paper or networks/unet.")
    ] = None,
    tracking: Annotated[
        str | None, typer.Option(help="mlflow: parameters, curves and configs to OUTPUT_DIR/mlruns.db.")
    ] = None,
    subjects: Subjects = None,
    sessions: Sessions = None,
    runs: Runs = None,
    acquisitions: Acquisitions = None,
    skip_incomplete: SkipIncomplete = False,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on from OUTPUT_DIR's newest whole checkpoint.")] = False,
) -> None:
    """Train the network of BUNDLE, as python -m monai.bundle run does."""
    found = Bundle.find(bundle)
    selection = selection_settings(subjects, sessions, runs, acquisitions, skip_incomplete)
    with ProgressBars() as progress:
        result = train_bundle(
            found,
            dataset_dir,
            output_dir or Path("runs") / found.name / "training",
            overlays=overlay or [],
            tracking=tracking,
            settings={name: True for name, is_set in (("resume", resume), ("allow_nan", allow_nan)) if is_set}
            | selection,
            overrides=parse_overrides(overrides or []),
            progress=progress,
        )
    terminal = console()
    terminal.print(f"\nTrained in {result.seconds / 60:.1f} min.")
    for file in result.checkpoints:
        terminal.print(f"  {file}")
    if "temperature" in Configuration(found, ["inference"]):
        terminal.print("  temperature and threshold are those of the shipped weights until mri-attention calibrate")
    if result.store is not None:
        from .reports.training_curves import log_training_figure

        log_training_figure(result.store)
        terminal.print(f"  curves: mlflow ui --backend-store-uri sqlite:///{result.store.absolute()}")

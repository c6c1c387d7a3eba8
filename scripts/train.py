"""The command ``train``: MONAI's training workflow of a bundle."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .running.bundles import build_workflow, find_bundle, find_configs, parse_overrides, run_workflow
from .running.checked_bundle import code_of
from .running.outputs import removed_on_error
from .terminal.console import announce, console, quiet_third_parties


def train(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    dataset_dir: Annotated[Path, typer.Option(help="BIDS folder or JSON datalist.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="For MONAI, unchanged, after --: -- --train::trainer::max_epochs 5"),
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Default: runs/BUNDLE/training.")] = None,
    overlay: Annotated[
        list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle, e.g. paper or networks/unet.")
    ] = None,
    tracking: Annotated[
        str | None, typer.Option(help="mlflow: parameters, curves and configs to OUTPUT_DIR/mlruns.db.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from OUTPUT_DIR's last checkpoint.")] = False,
) -> None:
    """Train the network of BUNDLE, as python -m monai.bundle run does."""
    folder = find_bundle(bundle)
    output = output_dir or Path("runs") / folder.name / "training"
    settings = {
        "dataset_dir": str(dataset_dir),
        "output_dir": str(output),
        **({"resume": True} if resume else {}),
        **parse_overrides(overrides or []),
    }
    configs = ["train", *(overlay or [])]
    find_configs(folder, configs)
    if not dataset_dir.exists():
        raise InputError.at(dataset_dir, "no such folder or datalist", "check --dataset-dir")
    if tracking:
        if tracking != "mlflow" and not Path(tracking).is_file():
            raise InputError.at(f"--tracking {tracking}", "no such kind or settings file", "write --tracking mlflow")
        # by default, MONAI loses this file where output_dir is no expression: it looks for "DIR + '/config...'"
        settings = {"save_execute_config": str(output / "config.json"), **settings}
    quiet_third_parties()
    announce(f"Training {folder.name}")
    start = time.monotonic()
    with code_of(folder):
        with removed_on_error(output):  # data are read here, so this is where they turn out to be bad
            output.mkdir(parents=True, exist_ok=True)
            workflow = build_workflow(folder, configs, settings, workflow_type="train", tracking=tracking)
        run_workflow(workflow)
    _tell(output, time.monotonic() - start)


def _tell(output: Path, seconds: float) -> None:
    """Print where the checkpoints and the records of the training are."""
    terminal = console()
    terminal.print(f"\nTrained in {seconds / 60:.1f} min.")
    for file in sorted(output.glob("models/*.pt")):
        terminal.print(f"  {file}")
    if (store := output / "mlruns.db").is_file():
        from .running.tracking import log_training_figure

        log_training_figure(store)
        terminal.print(f"  curves: mlflow ui --backend-store-uri sqlite:///{store.absolute()}")

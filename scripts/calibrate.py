"""The command ``calibrate``: what turns probabilities into masks, chosen on patients whom networks had not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .running.bundle import Bundle
from .running.configuration import Configuration
from .running.evaluation import CONFIGS
from .running.outputs import require_new, staged
from .terminal.console import ProgressBars, console, print_table
from .terminal.selection import Overwrite

SET = ("temperature", "threshold", "smallest_lesion", "volume_interval")
"""Config ids that the overlay sets."""

GROW = "grow"
"""Config id that the overlay sets too, of bundles that have it."""


def calibrate(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle of lesions, or its folder.")],
    results_dir: Annotated[
        Path, typer.Argument(help="Output of compare --leave-one-out, or of evaluate with weights that saw no patient.")
    ],
    dataset_dir: Annotated[
        Path | None, typer.Option(help="BIDS folder or JSON datalist with the true masks, if they have moved.")
    ] = None,
    network: Annotated[str, typer.Option(help="Of those that compare compared.")] = "default",
    made_with: Annotated[
        float | None,
        typer.Option(min=0.01, help="Temperature with which the maps were made. Default: that of the configs."),
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Default: RESULTS_DIR/calibration.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Choose temperature, threshold, smallest lesion, growing and volume interval on left-out patients.

    No network is run.

    They were left out by compare --leave-one-out, or have no part in the weights that evaluate was given. For each
    patient the choice is made on the others alone, and reported on this one. What is chosen on all patients is written
    as calibrated.yaml, for --overlay of predict and evaluate.
    """
    found = Bundle.find(bundle)
    configuration = Configuration(found, list(CONFIGS))
    if not all(name in configuration for name in SET):
        raise InputError.at(found.name, "has no lesion masks to calibrate", "name a bundle that segments lesions")
    if not results_dir.is_dir():
        raise InputError.at(results_dir, "no such folder", "give that of compare --leave-one-out, or of evaluate")
    from .reports.calibration_report import WRITTEN, overlay_text, write_calibration
    from .running.calibration import calibrate as choose_on_others
    from .running.left_out import read_left_out
    from .running.left_out_files import EVALUATED, temperature_of
    from .running.records import describe_run

    output = output_dir or results_dir / "calibration"
    require_new((output / name for name in WRITTEN.values()), overwrite)
    temperature = temperature_of(results_dir, found) if made_with is None else made_with
    with ProgressBars() as progress, staged(output, overwrite) as stage:
        maps = read_left_out(results_dir, configuration, network, dataset_dir, progress)
        nested, chosen = choose_on_others(maps, progress)
        overlay = overlay_text(chosen, len(nested), temperature, grow=GROW if GROW in configuration else None)
        provenance = describe_run(found, CONFIGS, dataset_dir or results_dir, {})
        tables = write_calibration(nested, chosen, overlay, provenance | {"made_with": temperature}, stage)
    for table in tables:
        print_table(table.caption, table.header, table.texts)
    console().print(f"The maps were made with temperature {temperature:g}.")
    if maps[0].network == EVALUATED:
        console().print(
            "That the weights have seen none of these patients is not checked: only then this choice holds."
        )
    for name, file in WRITTEN.items():
        console().print(f"{name + ':':13}{output / file}")

"""The command ``prepare``: a downloaded dataset as a BIDS folder, and brain masks of one."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .running.outputs import require_empty, staged
from .terminal.console import ProgressBars, console

DATASETS = ("ixi", "fastmri", "kirby21", "brats", "qsm-labels", "brain-masks")


def prepare(  # noqa: PLR0913 (one argument per option)
    dataset: Annotated[str, typer.Argument(help=f"What was downloaded: {', '.join(DATASETS)} (of any BIDS folder).")],
    source: Annotated[Path, typer.Option(help="Folder of the download, unpacked; brain-masks: a BIDS folder.")],
    output: Annotated[Path, typer.Option(help="New BIDS folder; brain-masks: of masks and a datalist.")],
    pairs: Annotated[Path | None, typer.Option(help="CSV of pairs PD,PDFS of fastMRI files.")] = None,
    snr: Annotated[float, typer.Option(min=1.0, help="qsm-labels: of the magnitude at 3 T and 20 ms.")] = 40.0,
    b0_direction: Annotated[str, typer.Option(help="qsm-labels: X,Y,Z in voxel axes.")] = "0,0,1",
    spacing: Annotated[str | None, typer.Option(help="qsm-labels: voxel size in mm, X,Y,Z.")] = None,
    erosion: Annotated[float, typer.Option(min=0.0, help="qsm-labels: of the brain mask, in mm.")] = 0.0,
    background: Annotated[float, typer.Option(min=0.0, help="qsm-labels: ppb left of fields from outside.")] = 0.0,
    vary: Annotated[bool, typer.Option(help="qsm-labels: draw all of these for each subject, for training.")] = False,
    texture: Annotated[float, typer.Option(min=0.0, help="qsm-labels: factor of the spread within tissues.")] = 1.0,
    phase: Annotated[
        bool, typer.Option(help="qsm-labels: phase and magnitude of five echoes, with skull and air, for --phase.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="qsm-labels: of noise and susceptibility.")] = 0,
) -> None:
    """Bring a downloaded dataset into the form that the bundles read, with contrasts aligned; or make brain masks."""
    if dataset not in DATASETS:
        raise InputError.at(dataset, "no such dataset", f"choose among {', '.join(DATASETS)}")
    if dataset == "fastmri" and pairs is None:
        raise InputError.at("fastmri", "has no official pairs", "name a CSV of PD,PDFS files with --pairs")
    require_empty(output)
    with staged(output) as stage, ProgressBars() as bars:
        progress = partial(bars, "preparing")
        if dataset == "fastmri" and pairs is not None:
            from .preparations.fastmri import prepare_fastmri

            names = prepare_fastmri(source, stage, pairs, progress)
        elif dataset == "qsm-labels":
            from ..simulation.field_protocol import FieldProtocol
            from ..simulation.gradient_echo import EchoProtocol
            from .preparations.qsm_labels import prepare_qsm_labels

            direction, sizes = _vector(b0_direction, "--b0-direction"), spacing and _vector(spacing, "--spacing")
            protocol = FieldProtocol(direction, sizes or None, snr, erosion, background=background / 1000)
            echoes = EchoProtocol(snr=snr) if phase else None
            names = prepare_qsm_labels(source, stage, None if vary else protocol, seed, progress, echoes, texture)
        else:
            name = dataset.replace("-", "_")
            module = import_module(f".preparations.{name}", __package__)
            names = getattr(module, f"prepare_{name}")(source, stage, progress)
    kind = ("session" if dataset == "brain-masks" else "subject") + "s"[: len(names) != 1]
    console().print(f"{len(names)} {kind} in {output} ({names[0]} to {names[-1]})")


def _vector(text: str, option: str) -> tuple[float, float, float]:
    try:
        x, y, z = map(float, text.split(","))
    except ValueError as error:
        raise InputError.at(f"{option} {text}", "not three numbers", f"write {option} 0,0,1") from error
    if (x, y, z) == (0, 0, 0) or (option == "--spacing" and min(x, y, z) <= 0):
        raise InputError.at(f"{option} {text}", "must be positive, or not all zero", "give other numbers")
    return x, y, z

"""The command ``prepare``: a downloaded dataset as a BIDS folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .console import console, quiet_third_parties
from .outputs import require_empty, staged

DATASETS = ("ixi", "fastmri", "kirby21", "brats")


def prepare(
    dataset: Annotated[str, typer.Argument(help=f"What was downloaded: {', '.join(DATASETS)}.")],
    source: Annotated[Path, typer.Option(help="Folder of the download, unpacked.")],
    output: Annotated[Path, typer.Option(help="New BIDS folder.")],
    pairs: Annotated[Path | None, typer.Option(help="CSV of pairs PD,PDFS of fastMRI files.")] = None,
) -> None:
    """Bring a downloaded dataset into the form that the bundles read, with contrasts aligned."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if dataset not in DATASETS:
        raise InputError.at(dataset, "no such dataset", f"choose among {', '.join(DATASETS)}")
    if dataset == "fastmri" and pairs is None:
        raise InputError.at("fastmri", "has no official pairs", "name a CSV of PD,PDFS files with --pairs")
    require_empty(output)
    quiet_third_parties()
    columns = (TextColumn("preparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with staged(output) as stage, Progress(*columns) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if dataset == "fastmri" and pairs is not None:
            from ..datasets.prepare_fastmri import prepare_fastmri

            names = prepare_fastmri(source, stage, pairs, progress)
        else:
            module = import_module(f"..datasets.prepare_{dataset}", __package__)
            names = getattr(module, f"prepare_{dataset}")(source, stage, progress)
    console().print(f"{len(names)} subjects in {output} ({names[0]} to {names[-1]})")

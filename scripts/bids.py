"""The command ``bids``: a BIDS App that applies a bundle to the participants of a BIDS folder."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .predict import predict
from .running.case_notes import CaseNotes
from .terminal.console import console
from .terminal.preprocessing import BrainExtraction, RegisterContrasts
from .terminal.selection import Overwrite, Regions

DEFAULT_BUNDLE = "ms_lesion_segmentation_fanet"


class Level(str, Enum):
    """Levels of analysis of a BIDS App."""

    participant = "participant"
    group = "group"


def print_version(is_wanted: bool) -> None:
    """Tell the version and end, if it is wanted."""
    if is_wanted:
        typer.echo(f"mri-attention {version('mri-attention')}")
        raise typer.Exit


def bids(  # noqa: PLR0913 (one argument per option)
    bids_dir: Annotated[Path, typer.Argument(help="BIDS folder.")],
    output_dir: Annotated[Path, typer.Argument(help="Where the results go, as BIDS derivatives.")],
    analysis_level: Annotated[
        Level, typer.Argument(help="participant: apply the bundle; group: gather the table of all participants.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="For MONAI, after --: -- --half_precision false")
    ] = None,
    bundle: Annotated[str, typer.Option(help="Name of a bundle, or its folder.")] = DEFAULT_BUNDLE,
    participant_label: Annotated[
        list[str] | None, typer.Option(help="Only these participants: 01 02, with or without sub-.")
    ] = None,
    session_label: Annotated[list[str] | None, typer.Option(help="Only these sessions, with or without ses-.")] = None,
    skip_bids_validation: Annotated[
        bool, typer.Option("--skip-bids-validation", help="Take a folder without dataset_description.json as well.")
    ] = False,
    brain_extraction: BrainExtraction = False,
    register: RegisterContrasts = None,
    regions: Regions = None,
    overwrite: Overwrite = False,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=print_version, help="Tell the version and end.")
    ] = False,
) -> None:
    """Apply a bundle to the participants of a BIDS folder, as BIDS Apps do.

    Participants and sessions that lack an image are left out, and listed at the end.
    """
    if analysis_level is Level.group:
        gather(output_dir)
        return
    require_bids(bids_dir, skip_bids_validation)
    if output_dir.resolve() == bids_dir.resolve():
        remedy = f"give a folder of its own, such as {bids_dir / 'derivatives' / 'mri-attention'}"
        raise InputError.at(output_dir, "is the BIDS folder itself", remedy)
    with CaseNotes.listening() as notes:
        predict(
            bundle,
            output_dir,
            overrides=overrides,
            dataset_dir=bids_dir,
            subjects=participant_label,
            sessions=session_label,
            skip_incomplete=True,
            brain_extraction=brain_extraction,
            register=register,
            regions=regions,
            overwrite=overwrite,
        )
    print_left_out(notes.warnings[-1])


def require_bids(folder: Path, is_skipped: bool) -> None:
    """Check that a folder says that it is a BIDS dataset.

    Raises:
        InputError: if it does not.
    """
    if not folder.is_dir():
        raise InputError.at(folder, "no such folder", "give a BIDS folder")
    if not is_skipped and not (folder / "dataset_description.json").is_file():
        problem = "has no dataset_description.json, as BIDS wants it"
        raise InputError.at(folder, problem, "add it, or set `skip_bids_validation` to true")


def gather(output_dir: Path) -> None:
    """Gather the tables of all participants.

    Raises:
        InputError: if there is nothing to gather.
    """
    from .reports.study_table import write_study_tables

    tables = write_study_tables(output_dir) if output_dir.is_dir() else []
    if not tables:
        raise InputError.at(output_dir, "holds no results of participants", "run the level participant first")
    for table in tables:
        console().print(f"Table of all cases: {table}")


def print_left_out(warnings: Sequence[str]) -> None:
    """List again, at the end, which participants and sessions were left out, and why."""
    left_out = [text for text in warnings if "left out" in text or "passed over" in text]
    if left_out:
        console().print("\n  ".join(["Left out:", *left_out]))

"""The command ``longitudinal``: what became of a patient's lesions from visit to visit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import InputError
from .terminal.console import ProgressBars, console
from .terminal.preprocessing import BrainExtraction, RegisterContrasts
from .terminal.selection import Overwrite, Sessions, SkipIncomplete, Subjects, require_dataset_for, selection_settings


def longitudinal(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle that segments lesions, or its folder.")],
    output_dir: Annotated[Path, typer.Option(help="Where the results go, as BIDS derivatives.")],
    dataset_dir: Annotated[Path | None, typer.Option(help="BIDS folder or JSON datalist with visits.")] = None,
    visit: Annotated[
        list[str] | None,
        typer.Option(help="ses-1:T1w=FILE,T2w=FILE,FLAIR=FILE, once for each visit of one patient, in order of time."),
    ] = None,
    lesion_mask: Annotated[
        list[str] | None,
        typer.Option(help="ses-1=FILE, once for each visit: lesions in the place of those that the network finds."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Weights. Default: those of the bundle.")] = None,
    register: RegisterContrasts = None,
    brain_extraction: BrainExtraction = False,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
    subjects: Subjects = None,
    sessions: Sessions = None,
    skip_incomplete: SkipIncomplete = False,
    overwrite: Overwrite = False,
) -> None:
    """Tell which lesions of a patient are new, enlarging, stable, shrinking or vanished from visit to visit."""
    if (dataset_dir is None) != bool(visit):
        problem = "visits given twice" if visit else "no visits"
        raise InputError.at("longitudinal", problem, "give either --dataset-dir or --visit")
    selection = selection_settings(subjects, sessions, None, None, skip_incomplete)
    require_dataset_for(selection, dataset_dir)
    options = {
        "model_file": model,
        "register": register,
        "brain_extraction": brain_extraction or None,
        "allow_nan": allow_nan or None,
    }
    settings: dict[str, Any] = {name: value for name, value in options.items() if value is not None} | selection
    from .reports.course_report import pair_line, write_course  # takes seconds to import
    from .running.longitudinal import follow_up

    with ProgressBars() as progress:
        courses = follow_up(
            bundle,
            dataset_dir or parse_visits(visit or []),
            output_dir,
            lesion_masks=parse_masks(lesion_mask or []),
            overwrite=overwrite,
            settings=settings,
            progress=progress,
            finish=write_course,
        )
    for course in courses:
        lines = [f"{course.subject}, {pair_line(course, number)}" for number in range(len(course.pairs))]
        console().print("\n  ".join(["\n".join(lines), *map(str, course.files)]))


def parse_visits(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read ``ses-1:T1w=FILE,FLAIR=FILE`` each.

    Raises:
        InputError: if one is not of this form, or a visit or a contrast is given twice.
    """
    visits: dict[str, dict[str, str]] = {}
    for text in texts:
        name, _, files = text.partition(":")
        parts = [part.partition("=") for part in re.split(r",(?=\w+=)", files)]
        images = {contrast: path for contrast, _, path in parts}
        if not name or name in visits or len(images) < len(parts) or not all(images) or not all(images.values()):
            problem = "given twice" if name in visits else "not NAME:CONTRAST=FILE,CONTRAST=FILE"
            raise InputError.at(f"--visit {text}", problem, "give each visit once, with each of its contrasts once")
        visits[name] = images
    return visits


def parse_masks(texts: Sequence[str]) -> dict[str, str]:
    """Read ``ses-1=FILE`` each.

    Raises:
        InputError: if one is not of this form, or a visit is given twice.
    """
    masks: dict[str, str] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not name or not path or name in masks:
            problem = "given twice" if name in masks else "not NAME=FILE"
            raise InputError.at(f"--lesion-mask {text}", problem, "give one mask for each visit")
        masks[name] = path
    return masks

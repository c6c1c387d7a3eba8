"""The options by which commands take a part of a dataset, and what they mean for a config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ...datasets import InputError, Selection

Subjects = Annotated[
    list[str] | None,
    typer.Option("--subject", "--subjects", help="Only these subjects of DATASET_DIR: 01,02 or repeated."),
]
Sessions = Annotated[list[str] | None, typer.Option("--session", "--sessions", help="Only these sessions.")]
Runs = Annotated[
    list[str] | None, typer.Option("--run", "--runs", help="Of several images of a contrast, that of this run.")
]
Acquisitions = Annotated[list[str] | None, typer.Option("--acquisition", "--acquisitions", help="The same for acq-.")]
SkipIncomplete = Annotated[
    bool, typer.Option("--skip-incomplete", help="Go on without cases that lack an image, and tell which.")
]
Regions = Annotated[
    str | None,
    typer.Option(
        help="Add means by region to the table of all cases: label maps in derivatives of DATASET_DIR, as in qsm/dseg."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there already.")]


def selection_settings(
    subjects: Sequence[str] | None,
    sessions: Sequence[str] | None,
    runs: Sequence[str] | None,
    acquisitions: Sequence[str] | None,
    skip_incomplete: bool,
) -> dict[str, Any]:
    """Return ``selection`` for a bundle's config, empty without options.

    Raises:
        InputError: if a name is empty.
    """
    given = {"subjects": subjects, "sessions": sessions, "runs": runs, "acquisitions": acquisitions}
    names = {part: ",".join(texts) for part, texts in given.items() if texts}
    selection = Selection.of({**names, "skip_incomplete": skip_incomplete})
    return {"selection": asdict(selection)} if selection else {}


def require_dataset_for(settings: dict[str, Any], dataset_dir: Path | None) -> None:
    """Check that there is a dataset to take a part of.

    Raises:
        InputError: if there is none.
    """
    if settings and dataset_dir is None:
        raise InputError.at("--subject, --session, ...", "have no meaning without `dataset_dir`", "leave them out")

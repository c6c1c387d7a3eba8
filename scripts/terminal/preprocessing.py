"""Options of commands on what is done to the images of a head before the network."""

from __future__ import annotations

from typing import Annotated

import typer

BrainExtraction = Annotated[
    bool,
    typer.Option("--brain-extraction", help="Make a brain mask of heads with skull that have none; needs deepbet."),
]
RegisterContrasts = Annotated[
    bool | None,
    typer.Option(
        "--register/--no-register",
        help="Align all contrasts, or none, to the reference.",
        show_default="where apart",
    ),
]

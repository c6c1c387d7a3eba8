"""The command ``mri-attention``: what MONAI's bundle commands do, in fewer words."""

from __future__ import annotations

import sys

import typer

from ..datasets.leaving import leaving_on_signals
from .benchmark import benchmark
from .bids import bids
from .calibrate import calibrate
from .check import check
from .compare import compare
from .convert_weights import convert_weights
from .evaluate import evaluate
from .export import export
from .longitudinal import longitudinal
from .predict import predict
from .prepare import prepare
from .simulate import simulate
from .terminal.console import exit_with, quiet_third_parties
from .terminal.options import options_of
from .terminal.value_lists import EchoListCommand, ValueListCommand
from .train import train

app = typer.Typer(
    name="mri-attention",
    help="Attention networks for brain MR images: simulate, train, evaluate and predict with MONAI bundles.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (
    simulate,
    train,
    evaluate,
    predict,
    longitudinal,
    compare,
    calibrate,
    benchmark,
    prepare,
    convert_weights,
    export,
    check,
)
for command in COMMANDS:
    app.command(cls=EchoListCommand if command is predict else None)(command)
app.command(cls=ValueListCommand)(bids)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a mistake of the user ends with one line on stderr and exit code 2."""
    given = sys.argv[1:] if arguments is None else arguments
    options = options_of(app, given)
    quiet_third_parties(options)
    try:
        with leaving_on_signals():  # temporary folders go on the way out
            code = app(args=given or ["--help"], prog_name="mri-attention", standalone_mode=False)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        exit_with(error, options)
    else:
        sys.exit(code or 0)


if __name__ == "__main__":
    main()

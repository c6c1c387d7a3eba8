"""The command ``evaluate``: metrics of a bundle's network and of baselines on the same cases."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import keep_images
from .running import Bundle, Contestant, Evaluation
from .running import evaluate as evaluate_bundle
from .running.evaluation import CONFIGS
from .running.outputs import require_new
from .running.records import describe_run
from .terminal.console import ProgressBars, announce, console, print_table
from .terminal.overrides import parse_overrides, parse_variation
from .terminal.selection import Acquisitions, Overwrite, Runs, Sessions, SkipIncomplete, Subjects, selection_settings

WRITTEN = {"report": "report.html", "per case": "metrics.csv", "summary": "summary.json"}
"""What an evaluation leaves, beside predictions and pictures."""


def evaluate(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    dataset_dir: Annotated[Path, typer.Option(help="BIDS folder or JSON datalist, with labels.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="For MONAI, after --: -- --half_precision false")
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Default: runs/BUNDLE/evaluation.")] = None,
    model: Annotated[Path | None, typer.Option(help="Weights. Default: those of the bundle.")] = None,
    overlay: Annotated[list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help="OVERLAY[=WEIGHTS] of a network to compare with.")] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="Evaluate with each value of a config id: ID=VALUE,VALUE such as noise=0,0.1. Ids vary together by "
            "ID,ID=VALUE:VALUE,VALUE:VALUE such as mask,acceleration=random:4,radial:6; each further --vary "
            "multiplies. An overlay can list conditions at its id 'vary'."
        ),
    ] = None,
    subjects: Subjects = None,
    sessions: Sessions = None,
    runs: Runs = None,
    acquisitions: Acquisitions = None,
    skip_incomplete: SkipIncomplete = False,
    training_dir: Annotated[
        Path | None,
        typer.Option(help="Output of train: its curves go to the report, the report to its MLflow store."),
    ] = None,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
    keep: Annotated[
        bool, typer.Option(help="Keep predictions and pages to scroll through, not tables, pictures and report only.")
    ] = True,
    overwrite: Overwrite = False,
) -> None:
    """Evaluate the network of BUNDLE: metrics.csv, summary.json, report.html and predictions."""
    found = Bundle.find(bundle)
    output = output_dir or Path("runs") / found.name / "evaluation"
    require_new((output / name for name in WRITTEN.values()), overwrite)
    bars = ProgressBars()

    def write(evaluations: Sequence[Evaluation], stage: Path) -> None:
        bars.close()
        announce("Writing the report")
        from .reports.evaluation_report import write_evaluation  # matplotlib, scipy and MONAI take seconds to import

        models = {evaluation.network: evaluation.model for evaluation in evaluations}
        provenance = describe_run(found, [*CONFIGS, *(overlay or [])], dataset_dir, models)
        provenance["settings"] = parse_overrides(overrides or [])
        write_evaluation(evaluations, provenance, stage, training_dir, with_viewers=keep)
        if not keep:
            for predictions in filter(Path.is_dir, stage.iterdir()):
                shutil.rmtree(predictions)

    selection = selection_settings(None, sessions, runs, acquisitions, skip_incomplete)
    with keep_images(), bars:
        evaluations = evaluate_bundle(
            found,
            dataset_dir,
            output,
            contestants=[Contestant(None, model), *map(_parse_baseline, baseline or [])],
            vary=[parse_variation(text) for text in vary or []],
            overlays=overlay or [],
            subjects=None if subjects is None else ",".join(subjects).split(","),
            overwrite=overwrite,
            settings=selection | ({"allow_nan": True} if allow_nan else {}),
            overrides=parse_overrides(overrides or []),
            progress=bars,
            finish=write,
        )
    if training_dir is not None and (store := training_dir / "mlruns.db").is_file():
        _log(store, output)
    _print_results(evaluations, output)


def _parse_baseline(text: str) -> Contestant:
    overlay, _, model = text.partition("=")
    return Contestant(overlay, Path(model) if model else None)


def _log(store: Path, output: Path) -> None:
    """Keep the training's curves and the evaluation's files in the MLflow store of the training."""
    from .reports.training_curves import log_training_figure
    from .running.tracking import log_artifacts

    log_training_figure(store)
    log_artifacts(store, [output / name for name in WRITTEN.values()])


def _print_results(evaluations: Sequence[Evaluation], output: Path) -> None:
    """Print the tables and where everything lies."""
    from .reports.evaluation_report import explain_tables, summary_tables

    for table in summary_tables(evaluations):
        title = ": ".join(filter(None, (table.caption, explain_tables(evaluations))))
        print_table(title, table.header, table.texts)
    for name, file in WRITTEN.items():
        console().print(f"{name + ':':13}{output / file}")

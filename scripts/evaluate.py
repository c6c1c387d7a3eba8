"""The command ``evaluate``: metrics of a bundle's network and of baselines on the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import keep_images
from .reports.tables import comparison_table, write_csv, write_summary
from .running import Bundle, Contestant, Evaluation
from .running import evaluate as evaluate_bundle
from .running.evaluation import CONFIGS
from .running.outputs import staged
from .running.provenance import describe_run
from .terminal.console import announce, console, print_table
from .terminal.overrides import parse_overrides
from .terminal.progress import ProgressBars


def evaluate(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    dataset_dir: Annotated[Path, typer.Option(help="BIDS folder or JSON datalist, with labels.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="For MONAI, unchanged, after --: -- --inferer::overlap 0.5")
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Default: runs/BUNDLE/evaluation.")] = None,
    model: Annotated[Path | None, typer.Option(help="Weights. Default: those of the bundle.")] = None,
    overlay: Annotated[list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help="OVERLAY[=WEIGHTS] of a network to compare with.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="Only these subjects.")] = None,
    training_dir: Annotated[
        Path | None,
        typer.Option(help="Output of train: its curves go to the report, the report to its MLflow store."),
    ] = None,
) -> None:
    """Evaluate the network of BUNDLE: metrics.csv, summary.json, report.html and predictions."""
    found = Bundle.find(bundle)
    output = output_dir or Path("runs") / found.name / "evaluation"
    with staged(output) as stage, keep_images():
        with ProgressBars() as progress:
            evaluations = evaluate_bundle(
                found,
                dataset_dir,
                stage,
                contestants=[Contestant(None, model), *map(_parse_baseline, baseline or [])],
                overlays=overlay or [],
                subjects=subject,
                settings=parse_overrides(overrides or []),
                progress=progress,
            )
        models = {evaluation.network: evaluation.model for evaluation in evaluations}
        provenance = describe_run(found, [*CONFIGS, *(overlay or [])], dataset_dir, models)
        write_csv(evaluations, stage / "metrics.csv")
        write_summary(evaluations, provenance, stage / "summary.json")
        _write_guidance_maps(evaluations, stage / "guidance")
        announce("Writing the report")
        _write_report(evaluations, provenance, training_dir, stage / "report.html")
    if training_dir is not None and (store := training_dir / "mlruns.db").is_file():
        from .reports.training_curves import log_training_figure
        from .running.tracking import log_artifacts

        log_training_figure(store)
        log_artifacts(store, [output / name for name in ("report.html", "metrics.csv", "summary.json")])
    _tell(evaluations, output)


def _parse_baseline(text: str) -> Contestant:
    overlay, _, model = text.partition("=")
    return Contestant(overlay, Path(model) if model else None)


def _write_report(
    evaluations: Sequence[Evaluation], provenance: dict[str, Any], training_dir: Path | None, path: Path
) -> None:
    # matplotlib, scipy and MONAI take seconds to import
    from .reports.angle_section import angle_curves, write_angle_curves
    from .reports.evaluation_report import evaluation_report
    from .reports.html_report import write_report

    angles = angle_curves(evaluations)
    write_angle_curves(angles, path.with_name("errors_by_angle.csv"))
    write_report(evaluation_report(evaluations, provenance, training_dir, angles), path)


def _write_guidance_maps(evaluations: Sequence[Evaluation], folder: Path) -> None:
    from .reports.guidance_section import write_guidance_maps

    write_guidance_maps(evaluations, folder)


def _tell(evaluations: Sequence[Evaluation], output: Path) -> None:
    """Print the comparison and where everything lies."""
    n_cases = len(evaluations[0].cases)
    print_table(f"Mean ± standard deviation (median) over {n_cases} cases", *comparison_table(evaluations))
    files = {
        "report": "report.html",
        "per case": "metrics.csv",
        "summary": "summary.json",
        "predictions": "sub-*",
    }
    for name, file in files.items():
        console().print(f"{name + ':':13}{output / file}")

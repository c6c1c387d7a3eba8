"""The command ``compare``: several networks of a bundle with the same data, crops, budget and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import InputError, split
from .running.bundle import Bundle
from .running.case_files import check_cases
from .running.configuration import Configuration
from .running.evaluation import CONFIGS
from .terminal.console import ProgressBars, console, print_table
from .terminal.overrides import parse_overrides
from .terminal.selection import Acquisitions, Overwrite, Runs, Sessions, SkipIncomplete, Subjects, selection_settings


def compare(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    dataset_dir: Annotated[Path, typer.Option(help="BIDS folder or JSON datalist, with labels.")],
    networks: Annotated[str, typer.Option(help="Overlays with commas between; default is the bundle's own network.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="For MONAI's training, after --: -- --epochs 5")] = None,
    output_dir: Annotated[
        Path | None, typer.Option(help="Default: runs/BUNDLE/comparison. Goes on where it was.")
    ] = None,
    test_dataset_dir: Annotated[
        Path | None, typer.Option(help="Cases to test on. Default: a part of DATASET_DIR.")
    ] = None,
    test_share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the subjects of DATASET_DIR.")] = 0.3,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each network.")] = 3,
    budget: Annotated[
        str, typer.Option(help="steps=N or seconds=N of each training. Default: the config's steps.")
    ] = "steps",
    baseline: Annotated[
        str | None, typer.Option(help="Network that the others are tested against; the last one.")
    ] = None,
    learning_rates: Annotated[
        str | None, typer.Option(help="Choose for each by validation, such as 5e-4,1e-3,2e-3.")
    ] = None,
    overlay: Annotated[list[str] | None, typer.Option(help="configs/NAME.yaml for all networks.")] = None,
    subjects: Subjects = None,
    sessions: Sessions = None,
    runs: Runs = None,
    acquisitions: Acquisitions = None,
    skip_incomplete: SkipIncomplete = False,
    overwrite: Overwrite = False,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
    trained_dir: Annotated[
        Path | None, typer.Option(help="Output of an earlier compare: test its networks, on other data, say.")
    ] = None,
) -> None:
    """Train networks on equal terms and compare them: metrics.csv, comparison.json, comparison.md and report.html."""
    found = Bundle.find(bundle)
    output = output_dir or Path("runs") / found.name / "comparison"
    names = [name if name == "default" or "/" in name else f"networks/{name}" for name in _parts(networks)]
    against = _among(names, baseline, networks)
    overlays = overlay or []
    found.config_files(["train", *CONFIGS, *overlays, *(n for n in names if n != "default")])
    selection = selection_settings(subjects, sessions, runs, acquisitions, skip_incomplete)
    from .reports.comparison_report import write_comparison
    from .running.comparison import run_plan
    from .running.comparison_plan import Budget, Plan
    from .running.comparison_record import start_or_continue

    settings = parse_overrides(overrides or []) | ({"allow_nan": True} if allow_nan else {})
    trained, tested = Configuration(found, ["train", *overlays]), Configuration(found, [*CONFIGS, *overlays])
    trained.override(settings)
    cases = _cases(trained, dataset_dir, selection)
    shared = {name: value for name, value in settings.items() if name in tested}
    if test_dataset_dir is None:
        cases, test_cases = split(cases, fraction=test_share, seed=0)
    else:
        test_cases = _cases(
            tested, test_dataset_dir, selection_settings(None, sessions, runs, acquisitions, skip_incomplete)
        )
    tested.override(shared)
    check_cases(test_cases, tested)
    plan = Plan(
        found,
        overlays,
        settings,
        shared,
        cases,
        test_cases,
        Budget.parse(budget),
        _floats(learning_rates),
        output,
        trained_dir,
    )
    start_or_continue(plan, overwrite)
    with ProgressBars() as progress:
        trainings = run_plan(plan, names, seeds, progress)
    table = write_comparison(plan, trainings, against, dataset_dir)
    print_table(f"{len(test_cases)} test cases, {seeds} seeds", table.header, table.texts)
    console().print(f"report: {output / 'report.html'}")


def _cases(configuration: Configuration, dataset_dir: Path, selection: dict[str, Any]) -> list[dict[str, Any]]:
    configuration.require(selection)
    configuration.update({"dataset_dir": str(dataset_dir)} | selection)
    cases: list[dict[str, Any]] = configuration.value("cases")
    return cases


def _among(names: Sequence[str], baseline: str | None, networks: str) -> str:
    against = names[-1] if baseline is None else next((n for n in names if Path(n).name == Path(baseline).name), None)
    if against is None:
        raise InputError.at(f"--baseline {baseline}", "not among --networks", f"choose among {networks}")
    return against


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(set(parts)) < 2:
        raise InputError.at(
            f"--networks {text}", "nothing to compare", "give two names or more, such as default,unet3d"
        )
    return list(dict.fromkeys(parts))


def _floats(text: str | None) -> list[float]:
    try:
        return [float(part) for part in text.split(",")] if text else []
    except ValueError as error:
        raise InputError.at(f"--learning-rates {text}", "not numbers", "give such as 5e-4,1e-3") from error

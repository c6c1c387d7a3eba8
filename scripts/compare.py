"""The command ``compare``: several networks of a bundle with the same data, crops, budget and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..datasets import InputError, split
from .running.bundle import Bundle
from .running.case_files import check_cases
from .running.configuration import Configuration
from .running.evaluation import CONFIGS, Condition, all_conditions
from .terminal.console import ProgressBars, announce, console, print_table
from .terminal.overrides import parse_overrides, parse_variation
from .terminal.selection import Acquisitions, Overwrite, Runs, Sessions, SkipIncomplete, Subjects, selection_settings

if TYPE_CHECKING:
    from .reports.table import Table
    from .running.comparison_plan import Plan


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
    test_share: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="Of the subjects of DATASET_DIR. Default: 0.3.")
    ] = None,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out",
            help="Leave out each patient of DATASET_DIR in turn, with all visits: train on the others, test on this "
            "one. One network alone may be given.",
        ),
    ] = False,
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
    vary: Annotated[
        list[str] | None,
        typer.Option(help="Test with each value of a config id: ID=VALUE,VALUE, as evaluate has it."),
    ] = None,
    subjects: Subjects = None,
    sessions: Sessions = None,
    runs: Runs = None,
    acquisitions: Acquisitions = None,
    skip_incomplete: SkipIncomplete = False,
    overwrite: Overwrite = False,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
    trained_dir: Annotated[
        Path | None,
        typer.Option(help="Output of an earlier compare: test its networks, on other data or otherwise, say."),
    ] = None,
) -> None:
    """Train networks on equal terms and compare them: metrics.csv, comparison.json, comparison.md and report.html."""
    found = Bundle.find(bundle)
    output = output_dir or Path("runs") / found.name / "comparison"
    parts = _parts(networks, 1 if leave_one_out else 2)
    names = [name if name == "default" or "/" in name else f"networks/{name}" for name in parts]
    against = _among(names, baseline, networks)
    if leave_one_out:
        _refuse(test_dataset_dir=test_dataset_dir, test_share=test_share, learning_rates=learning_rates)
    overlays = overlay or []
    found.config_files(["train", *CONFIGS, *overlays, *(n for n in names if n != "default")])
    selection = selection_settings(subjects, sessions, runs, acquisitions, skip_incomplete)
    from .running.comparison_plan import Budget, Plan

    settings = parse_overrides(overrides or []) | ({"allow_nan": True} if allow_nan else {})
    settings.pop("resume", None)  # what was stopped goes on anyway
    trained, tested = Configuration(found, ["train", *overlays]), Configuration(found, [*CONFIGS, *overlays])
    trained.override(settings)
    cases = _cases(trained, dataset_dir, selection)
    if not leave_one_out and test_dataset_dir is None:
        cases, test_cases = split(cases, fraction=0.3 if test_share is None else test_share, seed=0)
    else:
        others = selection_settings(None, sessions, runs, acquisitions, skip_incomplete)
        test_cases = _cases(tested, test_dataset_dir, others) if test_dataset_dir else cases
    tested.override(shared := {name: value for name, value in settings.items() if name in tested})
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
        _conditions(tested, vary or []),
    )
    with _telling_how_to_go_on(output, overwrite):
        run = _leave_one_out if leave_one_out else _compare
        tested_on, table = run(plan, names, seeds, against, dataset_dir, overwrite)
    print_table(f"{tested_on}, {seeds} seeds", table.header, table.texts)
    console().print(f"report: {output / 'report.html'}")


@contextmanager
def _telling_how_to_go_on(output: Path, overwrite: bool) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        announce(f"{output}: stopped; the same command goes on{', without --overwrite' if overwrite else ''}")
        raise


def _compare(
    plan: Plan, names: Sequence[str], seeds: int, against: str, dataset_dir: Path, overwrite: bool
) -> tuple[str, Table]:
    from .reports.comparison_report import write_comparison
    from .running.comparison import run_plan
    from .running.comparison_record import start_or_continue

    start_or_continue(plan, overwrite)
    with ProgressBars() as progress:
        trainings = run_plan(plan, names, seeds, progress)
    return f"{len(plan.test_cases)} test cases", write_comparison(plan, trainings, against, dataset_dir)


def _leave_one_out(
    plan: Plan, names: Sequence[str], seeds: int, against: str, dataset_dir: Path, overwrite: bool
) -> tuple[str, Table]:
    from .reports.left_out_report import write_left_out
    from .running.leaving_out import leave_one_out, run_left_out, start_or_continue_left_out

    folds = leave_one_out(plan)
    start_or_continue_left_out(plan, folds, overwrite)
    with ProgressBars() as progress:
        trainings = run_left_out(folds, names, seeds, progress)
    return f"{len(folds)} patients left out", write_left_out(plan, folds, trainings, against, dataset_dir)


def _refuse(**given: object) -> None:
    """Check that what has no meaning when patients are left out in turn was not given.

    Raises:
        InputError: names the first that was.
    """
    for name in (name for name, value in given.items() if value is not None):
        raise InputError.at(f"`{name}`", "has no meaning with `leave_one_out`", "leave one of them out")


def _conditions(tested: Configuration, vary: Sequence[str]) -> list[Condition]:
    return all_conditions(tested, [parse_variation(text) for text in vary]) if vary else [{}]


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


def _parts(text: str, n_least: int) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(set(parts)) < n_least:
        remedy = "give two names or more, such as default,unet3d" if n_least > 1 else "give a name, such as default"
        raise InputError.at(f"--networks {text}", "nothing to compare", remedy)
    return list(dict.fromkeys(parts))


def _floats(text: str | None) -> list[float]:
    try:
        return [float(part) for part in text.split(",")] if text else []
    except ValueError as error:
        raise InputError.at(f"--learning-rates {text}", "not numbers", "give such as 5e-4,1e-3") from error

"""The command ``predict``: apply a bundle's network to images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..datasets import Case, InputError, keep_images
from .running import Bundle
from .running import predict as predict_cases
from .running.prediction import Prediction
from .terminal.console import ProgressBars, console
from .terminal.overrides import parse_overrides
from .terminal.preprocessing import BrainExtraction, RegisterContrasts
from .terminal.selection import (
    Acquisitions,
    Overwrite,
    Regions,
    Runs,
    Sessions,
    SkipIncomplete,
    Subjects,
    require_dataset_for,
    selection_settings,
)

if TYPE_CHECKING:
    from .reports.study import Study


def predict(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    output_dir: Annotated[Path, typer.Option(help="Where the results go, as BIDS derivatives.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="For MONAI, after --: -- --half_precision false")
    ] = None,
    dataset_dir: Annotated[Path | None, typer.Option(help="BIDS folder or JSON datalist.")] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="CONTRAST=FILE (or DICOM folder), for each contrast that there is.")
    ] = None,
    kspace: Annotated[
        Path | None, typer.Option(help="k-space of the target: fastMRI or ISMRMRD .h5, or .npz with kspace and mask.")
    ] = None,
    phase: Annotated[
        list[Path] | None, typer.Option(help="Phase of each echo, or 4D of all: NIfTI or DICOM folders; for QSM.")
    ] = None,
    magnitude: Annotated[list[Path] | None, typer.Option(help="Their magnitude, in the same order.")] = None,
    model: Annotated[Path | None, typer.Option(help="Weights. Default: those of the bundle.")] = None,
    overlay: Annotated[list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle.")] = None,
    runtime: Annotated[
        str, typer.Option(help="torch, or onnx: models/model.onnx, which export --onnx writes.")
    ] = "torch",
    mask: Annotated[Path | None, typer.Option(help="Brain mask; outside of it images become zero.")] = None,
    brain_extraction: BrainExtraction = False,
    reference: Annotated[Path | None, typer.Option(help="Image with the geometry of the k-space.")] = None,
    scale: Annotated[str | None, typer.Option(help="How many times finer, such as 2 or 1,1,3.")] = None,
    field_unit: Annotated[str | None, typer.Option(help="Of the local field: ppm, hz or rad.")] = None,
    b0: Annotated[float | None, typer.Option(help="Field strength (T), for hz and rad.")] = None,
    echo_time: Annotated[
        str | None, typer.Option(help="Of the phase (s), for rad; of each echo of --phase: 0.004,0.008.")
    ] = None,
    phase_range: Annotated[
        str | None, typer.Option(help="LOW,HIGH: values of --phase that are -pi and pi, where they do not tell.")
    ] = None,
    background: Annotated[
        str | None, typer.Option(help="Removal of --phase's background: single_step, vsharp or pdf.")
    ] = None,
    keep_stages: Annotated[
        bool, typer.Option("--keep-stages", help="Write what is between phase and map: fields, mask, residual, noise.")
    ] = False,
    reference_region: Annotated[
        Path | None, typer.Option(help="Mask of what has susceptibility 0, such as fluid. Default: the brain's mean.")
    ] = None,
    b0_direction: Annotated[str | None, typer.Option(help="X,Y,Z of the field; else from sidecar or affine.")] = None,
    invert: Annotated[
        bool, typer.Option(help="Change the sign of the local field: of phase that falls where the field is higher.")
    ] = False,
    slice_axis: Annotated[
        int | None, typer.Option(help="Across slices of the image to enlarge: 0, 1 or 2.", min=0, max=2)
    ] = None,
    register: RegisterContrasts = None,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
    viewer: Annotated[bool, typer.Option(help="Write an HTML page to scroll through images and results.")] = True,
    subjects: Subjects = None,
    sessions: Sessions = None,
    runs: Runs = None,
    acquisitions: Acquisitions = None,
    skip_incomplete: SkipIncomplete = False,
    regions: Regions = None,
    overwrite: Overwrite = False,
) -> None:
    """Apply the network of BUNDLE to images: masks or images, and pictures."""
    require_one_source(dataset_dir, bool(image or kspace or phase or magnitude))
    if field_unit is not None and (phase or magnitude):
        raise InputError.at("--field-unit", "has no meaning with --phase, which becomes ppm", "leave it out")
    options = {
        "model_file": model,
        "scale": None if scale is None else parse_scale(scale),
        "field_unit": field_unit,
        "b0": b0,
        "echo_time": None if echo_time is None else parse_numbers("--echo-time", echo_time),
        "phase_range": None if phase_range is None else parse_numbers("--phase-range", phase_range, 2),
        "background": background,
        "keep_stages": keep_stages or None,
        "reference_region": None if reference_region is None else str(reference_region),
        "b0_direction": b0_direction,
        "invert": invert or None,
        "slice_axis": slice_axis,
        "register": register,
        "brain_extraction": brain_extraction or None,
        "allow_nan": allow_nan or None,
    }
    selection = selection_settings(subjects, sessions, runs, acquisitions, skip_incomplete)
    require_dataset_for(selection, dataset_dir)
    study = study_of(bundle, dataset_dir, output_dir, regions)
    files = {"kspace": kspace, "reference": reference}
    echoes = {"phase": list(map(str, phase or [])), "magnitude": list(map(str, magnitude or []))}
    given: dict[str, Any] = {name: str(file) for name, file in files.items() if file} | echoes
    named = Case(image=parse_images(image or []), **given)
    overviews: list[tuple[str, list[Path]] | None] = []

    def draw(prediction: Prediction) -> None:
        from .reports.overviews import write_overview  # takes seconds to import
        from .reports.viewer import write_viewer

        overview = write_overview(prediction)
        pages = [write_viewer(prediction, overview[0])] if viewer and overview else []
        overviews.append((overview[0], [overview[1], *pages]) if overview else None)
        if study is not None:
            study.add(prediction)

    with keep_images(), ProgressBars() as progress:
        predictions = predict_cases(
            bundle,
            dataset_dir or named,
            output_dir,
            mask=mask,
            overwrite=overwrite,
            overlays=overlay or [],
            runtime=runtime,
            settings={name: value for name, value in options.items() if value is not None} | selection,
            overrides=parse_overrides(overrides or []),
            progress=progress,
            finish=draw,
        )
    from .reports.alignment_texts import alignment_lines

    for prediction, overview in zip(predictions, overviews, strict=True):
        findings, pictures = ([], []) if overview is None else ([overview[0]], [path.name for path in overview[1]])
        paths = sorted([*prediction.files, *(prediction.files[0].with_name(name) for name in pictures)])
        console().print("\n  ".join([prediction.case.name, *findings, *alignment_lines(prediction), *map(str, paths)]))
    for table in study.write(output_dir) if study is not None and predictions else []:
        console().print(f"Table of all cases: {table}")


def require_one_source(dataset_dir: Path | None, is_named: bool) -> None:
    """Check that either a dataset or files are given.

    Raises:
        InputError: if both are, or neither.
    """
    if (dataset_dir is None) != is_named:
        problem = "images given twice" if is_named else "no images"
        raise InputError.at("predict", problem, "give either --dataset-dir or --image CONTRAST=FILE")


def study_of(bundle: str, dataset_dir: Path | None, output_dir: Path, regions: str | None) -> Study | None:
    """Return what gathers the numbers of the cases of a dataset, None without a dataset.

    Raises:
        InputError: if there are ``regions`` of nothing, the dataset has none, or their table has no place.
    """
    from .reports.study import Study  # takes seconds to import
    from .reports.study_table import require_own

    if dataset_dir is not None:
        study = Study(Bundle.find(bundle), dataset_dir, regions)
        require_own(output_dir / f"{study.bundle.name}.tsv")
        return study
    if regions is not None:
        raise InputError.at(f"`regions` {regions}", "has no meaning without `dataset_dir`", "leave it out")
    return None


def parse_images(texts: Sequence[str]) -> dict[str, str]:
    """Read ``CONTRAST=FILE`` each.

    Raises:
        InputError: if one is not of this form, or a contrast is given twice.
    """
    files: dict[str, str] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not name or not path or name in files:
            problem = "given twice" if name in files else "not CONTRAST=FILE"
            raise InputError.at(f"--image {text}", problem, "give each contrast once")
        files[name] = path
    return files


def parse_scale(text: str) -> int | list[int]:
    """Read ``2`` or ``1,1,3``.

    Raises:
        InputError: if these are no positive whole numbers.
    """
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise InputError.at(f"--scale {text}", "not a factor", "give a whole number, or one for each axis as in 1,1,3")
    return int(parts[0]) if len(parts) == 1 else [int(part) for part in parts]


def parse_numbers(option: str, text: str, count: int | None = None) -> float | list[float]:
    """Read ``0.004`` as a number, ``0.004,0.008`` as a list; ``count`` numbers where that is told.

    Raises:
        InputError: if these are no numbers, or not as many.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or (count is not None and len(numbers) != count):
        wanted = f"{count} numbers" if count else "a number, or one for each echo"
        raise InputError.at(f"{option} {text}", f"not {wanted}", f"write {option} 0.004,0.008")
    return numbers[0] if len(numbers) == 1 else numbers

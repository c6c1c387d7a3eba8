"""The command ``predict``: apply a bundle's network to images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
        list[str] | None, typer.Argument(help="For MONAI, after --: -- --inferer::overlap 0.5")
    ] = None,
    dataset_dir: Annotated[Path | None, typer.Option(help="BIDS folder or JSON datalist.")] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="CONTRAST=FILE (or DICOM folder), for each contrast that there is.")
    ] = None,
    kspace: Annotated[
        Path | None, typer.Option(help="k-space of the target: fastMRI or ISMRMRD .h5, or .npz with kspace and mask.")
    ] = None,
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
    echo_time: Annotated[float | None, typer.Option(help="Of the phase (s), for rad.")] = None,
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
    is_named = bool(image or kspace)
    if (dataset_dir is None) != is_named:
        problem = "images given twice" if is_named else "no images"
        raise InputError.at("predict", problem, "give either --dataset-dir or --image CONTRAST=FILE")
    options = {
        "model_file": model,
        "scale": None if scale is None else parse_scale(scale),
        "field_unit": field_unit,
        "b0": b0,
        "echo_time": echo_time,
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
    named = Case(image=parse_images(image or []), **{name: str(file) for name, file in files.items() if file})
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

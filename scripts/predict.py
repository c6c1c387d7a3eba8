"""The command ``predict``: apply a bundle's network to images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from ..datasets import InputError, find_cases, read_volume
from .bundles import find_bundle, find_configs, parse_overrides
from .console import announce, console, quiet_third_parties
from .outputs import staged
from .provenance import write_derivative_description
from .weights import existing_file


def predict(  # noqa: PLR0913 (one argument per option)
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    output_dir: Annotated[Path, typer.Option(help="Where the results go, as BIDS derivatives.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="For MONAI, unchanged, after --: -- --inferer::overlap 0.5")
    ] = None,
    dataset_dir: Annotated[Path | None, typer.Option(help="BIDS folder or JSON datalist.")] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="CONTRAST=FILE (or DICOM folder), once for each contrast.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Weights. Default: those of the bundle.")] = None,
    overlay: Annotated[list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Brain mask; outside of it images become zero.")] = None,
    register: Annotated[bool, typer.Option(help="Align the contrasts rigidly to the reference.")] = False,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
) -> None:
    """Apply the network of BUNDLE to images: masks or images, and pictures."""
    folder = find_bundle(bundle)
    configs = ["inference", *(overlay or [])]
    inference, *_ = find_configs(folder, configs)
    contrasts = yaml.safe_load(inference.read_text(encoding="utf-8"))["contrasts"]
    if (dataset_dir is None) == (not image):
        problem = "images given twice" if image else "no images"
        raise InputError.at("predict", problem, "give either --dataset-dir or --image CONTRAST=FILE")
    settings = {
        **({"model_file": str(existing_file(model))} if model else {}),
        "register": register,
        "allow_nan": allow_nan,
        **parse_overrides(overrides or []),
    }
    cases = [_named_case(image, contrasts)] if image else find_cases(str(dataset_dir), contrasts)
    quiet_third_parties()
    with staged(output_dir) as stage:
        announce(f"Checking {len(cases)} case{'s'[: len(cases) != 1]}")
        cases = [_checked(case, contrasts, mask, allow_nan) for case in cases]
        announce(f"Applying {folder.name}")
        from .prediction import predict_cases

        results = predict_cases(folder, configs, settings | {"cases": cases, "output_dir": str(stage)})
        write_derivative_description(folder, stage)
    for result in results:
        for line in result.lines(output_dir):
            console().print(line)


def _named_case(images: Sequence[str], contrasts: Sequence[str]) -> dict[str, Any]:
    """Return the datalist entry of files named on the command line.

    Raises:
        InputError: if a contrast is missing, given twice or unknown.
    """
    paths: dict[str, str] = {}
    for item in images:
        name, _, path = item.partition("=")
        if name not in contrasts or not path or name in paths:
            problem = "given twice" if name in paths else "not CONTRAST=FILE"
            raise InputError.at(f"--image {item}", problem, f"give each of {', '.join(contrasts)} once")
        paths[name] = path
    if missing := [name for name in contrasts if name not in paths]:
        remedy = " ".join(f"--image {name}=FILE" for name in missing)
        raise InputError.at("--image", f"no {', '.join(missing)} given", f"add {remedy}")
    name = Path(paths[contrasts[-1]]).name
    found = re.match(r"(sub-[A-Za-z0-9]+)(?:_(ses-[A-Za-z0-9]+))?", name)
    subject, session = (found[1], found[2] or "") if found else (name.partition(".")[0], "")
    return {"subject": subject, "session": session, "image": [paths[name] for name in contrasts]}


def _checked(case: dict[str, Any], contrasts: Sequence[str], mask: Path | None, allow_nan: bool) -> dict[str, Any]:
    """Read everything once, so that bad input is told before anything is computed; name all images, add the mask.

    Raises:
        InputError: if an image cannot be used, or the mask has not the shape of one of them.
    """
    from ..transforms.contrasts import contrast_paths

    paths = contrast_paths(case["image"], contrasts).values()
    shapes = [tuple(read_volume(path, allow_nan=allow_nan).shape[1:]) for path in paths]
    case = case | {"image": [str(path) for path in paths]}
    if mask is None:
        return case
    shape = tuple(read_volume(mask).shape[1:])
    if shape not in shapes:
        problem = f"the mask has shape {shape}, the images {', '.join(map(str, dict.fromkeys(shapes)))}"
        raise InputError.at(mask, problem, "give a mask on the grid of one of the images")
    return case | {"mask": str(mask)}

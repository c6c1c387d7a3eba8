"""The command ``predict``: apply a bundle's network to images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import InputError
from .running.bundles import find_bundle, find_configs, known_settings, merged_config, parse_overrides, read_value
from .running.checked_bundle import code_of
from .running.named_files import check_case, measured_kspace, named_case
from .running.outputs import staged
from .running.processes import share_of_rank, use_device_of_rank
from .running.provenance import write_derivative_description
from .running.weights import existing_file, verify_shipped
from .terminal.console import announce, console, quiet_third_parties

RUNTIMES = ("torch", "onnx")


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
    kspace: Annotated[
        Path | None, typer.Option(help="k-space of the target: fastMRI or ISMRMRD .h5, or .npz with kspace and mask.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Weights. Default: those of the bundle.")] = None,
    overlay: Annotated[list[str] | None, typer.Option(help="configs/NAME.yaml of the bundle.")] = None,
    runtime: Annotated[
        str, typer.Option(help="torch, or onnx: models/model.onnx, which export --onnx writes.")
    ] = "torch",
    mask: Annotated[Path | None, typer.Option(help="Brain mask; outside of it images become zero.")] = None,
    reference: Annotated[Path | None, typer.Option(help="Image with the geometry of the k-space.")] = None,
    scale: Annotated[str | None, typer.Option(help="How many times finer, such as 2 or 1,1,3.")] = None,
    field_unit: Annotated[str | None, typer.Option(help="Of the local field: ppm, hz or rad.")] = None,
    b0: Annotated[float | None, typer.Option(help="Field strength (T), for hz and rad.")] = None,
    echo_time: Annotated[float | None, typer.Option(help="Of the phase (s), for rad.")] = None,
    b0_direction: Annotated[str | None, typer.Option(help="X,Y,Z of the field; else from sidecar or affine.")] = None,
    register: Annotated[bool, typer.Option(help="Align the contrasts rigidly to the reference.")] = False,
    allow_nan: Annotated[bool, typer.Option(help="Replace NaN and Inf by 0.")] = False,
) -> None:
    """Apply the network of BUNDLE to images: masks or images, and pictures."""
    quiet_third_parties()
    folder = find_bundle(bundle)
    configs = ["inference", *(overlay or [])]
    find_configs(folder, configs)
    is_named = bool(image or kspace)
    if (dataset_dir is None) != is_named:
        problem = "images given twice" if is_named else "no images"
        raise InputError.at("predict", problem, "give either --dataset-dir or --image CONTRAST=FILE")
    options = {
        "scale": None if scale is None else parse_scale(scale),
        "field_unit": field_unit,
        "b0": b0,
        "echo_time": echo_time,
        "b0_direction": b0_direction,
    }
    onnx_file = chosen_onnx(runtime, folder, model)
    settings = {
        **({"model_file": str(existing_file(model))} if model and not onnx_file else {}),
        "register": register,
        "allow_nan": allow_nan,
        **known_settings(folder, configs, {k: v for k, v in options.items() if v is not None}),
        **parse_overrides(overrides or []),
    }
    check_scale(folder, configs, settings)
    with code_of(folder), staged(output_dir) as stage:
        contrasts = read_value(folder, configs, settings, "contrasts")
        if is_named:
            cases = [named_case(image or [], contrasts, measured_kspace(folder, configs, kspace, reference))]
        else:
            cases = read_value(folder, configs, settings | {"dataset_dir": str(dataset_dir)}, "cases")
        if not (cases := share_of_rank(cases)):
            return  # more processes than cases
        announce(f"Checking {len(cases)} case{'s'[: len(cases) != 1]}")
        cases = [check_case(case, contrasts, mask, allow_nan) for case in cases]
        announce(f"Applying {folder.name}")
        from .running.prediction import predict_cases

        use_device_of_rank()
        results = predict_cases(folder, configs, settings | {"cases": cases, "output_dir": str(stage)}, onnx_file)
        write_derivative_description(folder, stage)
    for result in results:
        for line in result.lines(output_dir):
            console().print(line)


def check_scale(bundle: Path, configs: list[str], settings: dict[str, Any]) -> None:
    """Check the scale of ``settings`` against those that the config lists as ``scales``, if it does.

    Raises:
        InputError: if it is none of them.
    """
    if "scale" not in settings or "scales" not in merged_config(bundle, configs, {}):
        return
    if settings["scale"] not in (scales := read_value(bundle, configs, {}, "scales")):
        known = " or ".join(map(str, scales))
        raise InputError.at(f"--scale {settings['scale']}", f"{bundle.name} cannot do that", f"choose {known}")


def chosen_onnx(runtime: str, bundle: Path, model: Path | None) -> Path | None:
    """Return the ONNX file that ``runtime`` asks for, ``model`` or that of ``bundle``; None for torch.

    Raises:
        InputError: if there is no such runtime, or the bundle's file is not the one that was shipped.
    """
    if runtime not in RUNTIMES:
        raise InputError.at(f"--runtime {runtime}", "no such runtime", f"choose among {', '.join(RUNTIMES)}")
    if runtime == "torch":
        return None
    if model is not None:
        return model
    file = bundle / "models" / "model.onnx"
    if file.is_file():
        verify_shipped(file, bundle)
    return file


def parse_scale(text: str) -> int | list[int]:
    """Read ``2`` or ``1,1,3``.

    Raises:
        InputError: if these are no positive whole numbers.
    """
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise InputError.at(f"--scale {text}", "not a factor", "give a whole number, or one for each axis as in 1,1,3")
    return int(parts[0]) if len(parts) == 1 else [int(part) for part in parts]

"""Applying a bundle's network to images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import Case, InputError, keep_images, read_volume
from .bundle import Bundle, code_of
from .case_files import check_case, complete_case, contrasts_of, images_of, optional_contrasts
from .case_notes import CaseNotes
from .configuration import Configuration, Progress, no_progress
from .made_from import digests, require_new_or_same
from .mask_steps import require_mask_step
from .outputs import staged
from .phase_files import phase_overlay
from .processes import share_of_rank, use_device_of_rank
from .records import write_derivative_description
from .third_parties import input_errors_unwrapped
from .volume_levels import VolumeLevels
from .written_files import Pictures, WrittenFiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...transforms.rigid_motion import RigidMotion

RUNTIMES = ("torch", "onnx")


@dataclass(frozen=True)
class Prediction:
    """What was made of one case.

    Attributes:
        case: its images, those that are there.
        files: results.
        motions: rotation and translation of the contrasts that were moved, by contrast.
        alignment: how its contrasts lay to each other, as in the results' sidecars; empty where nothing was measured.
        pictures: how its image is shown, where the bundle makes images.
        contrasts: names of the case's images, in their order, without those that are missing.
        seconds: from reading its images to writing the results.
        warnings: what was told of it.
        unit: of these images, where the bundle has a `field_unit`.
        volume_levels: thresholds of the interval of the lesion volume, where the bundle has such.
    """

    case: Case
    files: list[Path]
    motions: dict[str, RigidMotion] = field(default_factory=dict)
    alignment: dict[str, Any] = field(default_factory=dict)
    pictures: Pictures | None = None
    contrasts: list[str] = field(default_factory=list)
    seconds: float = math.nan
    warnings: list[str] = field(default_factory=list)
    unit: str = ""
    volume_levels: VolumeLevels | None = None


def predict(  # noqa: PLR0913 (what the command has as options)
    bundle: Bundle | str | Path,
    cases: Case | Path | str,
    output_dir: Path | str,
    *,
    mask: Path | str | None = None,
    overwrite: bool = False,
    overlays: Sequence[str] = (),
    runtime: str = "torch",
    settings: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    finish: Callable[[Prediction], object] = lambda prediction: None,
) -> list[Prediction]:
    """Apply the network of ``bundle``, and write masks or images as BIDS derivatives: all of them, or none.

    Of several processes, as ``torchrun`` starts them, each does a share of the cases.

    Args:
        bundle: its name, folder, or the bundle itself.
        cases: a BIDS folder or JSON datalist, or one case whose ``image`` tells the file of each contrast, or which
            has ``phase`` and ``magnitude``.
        output_dir: where the results go.
        mask: of the brain, for all cases; outside of it images become zero.
        overwrite: replace results that are in ``output_dir`` already, instead of refusing to; those of the same files,
            settings and weights are always made anew.
        overlays: further configs of the bundle, such as ``networks/unet``.
        runtime: ``torch``, or ``onnx`` for ``models/model.onnx`` or the ``model_file`` of ``settings``.
        settings: config ids of the bundle and their values, such as ``model_file``, ``register`` or ``scale``.
        overrides: the same for MONAI, which runs what begins with ``$``, such as ``network_def::dropout``.
        progress: is told of each case.
        finish: is given each prediction before its files move to ``output_dir``, with what it writes beside them.

    Raises:
        InputError: if an input cannot be used, a setting has no meaning for the bundle, the weights are missing or
            not those that were shipped, or there are results already.

    Example:
        >>> images = {"T1w": "t1.nii.gz", "T2w": "t2.nii.gz", "FLAIR": "flair.nii.gz"}
        >>> (found,) = predict("ms_lesion_segmentation_fanet", Case(image=images), "results")  # doctest: +SKIP
        >>> found.files  # doctest: +SKIP
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.find(bundle)
    is_phase = isinstance(cases, Case) and bool(cases.phase or cases.magnitude)
    configuration = Configuration(bundle, ["inference", *(phase_overlay(bundle) if is_phase else []), *overlays])
    output, same = Path(output_dir), set[Path]()
    onnx_file = chosen_onnx(runtime, bundle, (settings or {}).get("model_file"))
    with (
        input_errors_unwrapped(),
        keep_images(),
        code_of(bundle.folder),
        CaseNotes.listening() as notes,
        staged(output, overwrite, same) as stage,
    ):
        _apply(configuration, settings or {}, overrides or {}, onnx_file)
        found = share_of_rank(_find_cases(configuration, cases))
        allow_nan = "allow_nan" in configuration and bool(configuration.value("allow_nan"))
        optional = optional_contrasts(configuration)
        checked = []
        for number, case in enumerate(found):
            notes.begin(number)
            if own := mask or case.mask:
                require_mask_step(configuration, own)
            checked.append(check_case(case, configuration.value("contrasts"), own, allow_nan, optional))
            progress("checking", len(checked), len(found))
        if not checked:
            return []  # more processes than cases
        use_device_of_rank()
        configuration.update({"cases": [case.item() for case in checked], "output_dir": str(stage)})
        VolumeLevels.of(configuration)  # refused before the work
        configuration.build()
        given = {**(settings or {}), **(overrides or {}), "mask": mask, "runtime": runtime}
        of_cases = digests(configuration, checked, given)
        same |= require_new_or_same(configuration, checked, of_cases, output, overwrite)
        predictions = _run(configuration, checked, onnx_file, progress, notes)
        made_from = {
            str(file.relative_to(stage)): digest
            for prediction, digest in zip(predictions, of_cases, strict=True)
            for file in prediction.files
        }
        for number, prediction in enumerate(predictions):
            notes.begin(number)
            finish(prediction)
        write_derivative_description(bundle, stage, output, made_from)  # last: others may have come in the meantime
    return [_moved(prediction, stage, output) for prediction in predictions]


def _apply(
    configuration: Configuration, settings: Mapping[str, Any], overrides: Mapping[str, Any], onnx_file: Path | None
) -> None:
    configuration.require(settings)
    configuration.update({name: value for name, value in settings.items() if name != "model_file" or not onnx_file})
    configuration.override(overrides)
    check_scale(configuration, ({**settings, **overrides}).get("scale"))
    if onnx_file is not None:
        from .onnx_network import OnnxNetwork

        configuration.update({"network": OnnxNetwork(onnx_file)})
    elif "model_file" in settings:
        from ...handlers.weights import existing_file

        existing_file(Path(settings["model_file"]))


def check_scale(configuration: Configuration, scale: Any) -> None:
    """Check ``scale``, unless it is None, against those that the config lists as ``scales``, if it does.

    Raises:
        InputError: if it is none of them.
    """
    if scale is not None and "scales" in configuration and scale not in (scales := configuration.value("scales")):
        problem = f"{configuration.bundle.name} cannot do that"
        raise InputError.at(f"`scale` {scale}", problem, f"choose {' or '.join(map(str, scales))}")


def chosen_onnx(runtime: str, bundle: Bundle, model: Path | str | None) -> Path | None:
    """Return the ONNX file that ``runtime`` asks for, ``model`` or that of ``bundle``; None for torch.

    Raises:
        InputError: if there is no such runtime, or the bundle's file is not the one that was shipped.
    """
    if runtime not in RUNTIMES:
        raise InputError.at(f"`runtime` {runtime}", "no such runtime", f"choose among {', '.join(RUNTIMES)}")
    if runtime == "torch":
        return None
    if model is not None:
        return Path(model)
    file = bundle.folder / "models" / "model.onnx"
    if file.is_file():
        from ...handlers.weights import verify_shipped

        verify_shipped(file)
    return file


def _find_cases(configuration: Configuration, cases: Case | Path | str) -> list[Case]:
    if isinstance(cases, Case):
        return [complete_case(cases, configuration)]
    configuration.update({"dataset_dir": str(cases)})
    found = [Case.of(item) for item in configuration.value("cases")]
    if "target" not in configuration and any(case.kspace is not None for case in found):
        remedy = "give its images as `image`"
        raise InputError.at(f"{cases}: kspace", f"has no meaning for {configuration.bundle.name}", remedy)
    return found


def _run(
    configuration: Configuration,
    cases: Sequence[Case],
    onnx_file: Path | None,
    progress: Progress,
    notes: CaseNotes,
) -> list[Prediction]:
    from .onnx_network import require_same_network

    if onnx_file is not None:
        require_same_network(configuration.parser, onnx_file)
    written = WrittenFiles(configuration.value("evaluator"))
    notes.follow(configuration.value("evaluator"))
    configuration.run(f"applying {configuration.bundle.name}", progress)
    unit = str(configuration.value("field_unit")) if "field_unit" in configuration else ""
    levels = VolumeLevels.of(configuration)
    predictions = []
    collected = zip(cases, written.files, written.motions, written.alignments, strict=True)
    for number, (case, files, matrices, alignment) in enumerate(collected):
        paths = images_of(case, configuration)
        prediction = Prediction(
            replace(case, image=list(paths.values())),
            files,
            motions=_motions(paths, contrasts_of(case, configuration), matrices),
            alignment=alignment,
            pictures=configuration.pictures,
            contrasts=list(paths),
            seconds=notes.seconds.get(number, math.nan),
            warnings=notes.warnings[number],  # what `finish` tells is added
            unit=unit,
            volume_levels=levels,
        )
        predictions.append(prediction)
    return predictions


def _motions(
    paths: Mapping[str, str], contrasts: Sequence[str], matrices: NDArray[Any] | None
) -> dict[str, RigidMotion]:
    """Express the world matrices of contrasts that were moved as rotations and shifts of their centers."""
    import numpy as np

    from ...transforms.rigid_motion import RigidMotion

    motions: dict[str, RigidMotion] = {}
    if matrices is None:
        return motions
    for contrast, matrix in zip(contrasts, matrices, strict=True):
        if not np.array_equal(matrix, np.eye(4)):
            image = read_volume(paths[contrast], allow_nan=True, allow_2d=True)
            center = image.affine.numpy() @ [*((np.array(image.shape[1:]) - 1) / 2), 1]
            motions[contrast] = RigidMotion.of(matrix, center[:3])
    return motions


def _moved(prediction: Prediction, stage: Path, output_dir: Path) -> Prediction:
    """Tell where the files are after they left ``stage``."""
    files = [output_dir / file.relative_to(stage) for file in prediction.files]
    return replace(prediction, files=files)

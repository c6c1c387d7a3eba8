"""Training a bundle's network."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets import InputError
from .bundle import Bundle, code_of
from .configuration import TRAINER, VALIDATOR, Configuration, Progress, no_progress
from .outputs import removed_on_error
from .third_parties import input_errors_unwrapped


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Attributes:
        output_dir: with checkpoints and records.
        checkpoints: files of weights.
        steps: of the optimizer.
        seconds: of training, validation included.
        best: validation metric of the best epoch, None without validation.
        store: MLflow's, None where nothing was tracked by it.
    """

    output_dir: Path
    checkpoints: list[Path]
    steps: int
    seconds: float
    best: float | None
    store: Path | None


def train(
    bundle: Bundle | str | Path,
    dataset_dir: Path | str,
    output_dir: Path | str,
    *,
    overlays: Sequence[str] = (),
    tracking: str | None = None,
    settings: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
) -> TrainingResult:
    """Train the network of ``bundle``, as ``python -m monai.bundle run`` does.

    Args:
        bundle: its name, folder, or the bundle itself.
        dataset_dir: BIDS folder or JSON datalist.
        output_dir: where checkpoints and records go.
        overlays: further configs of the bundle, such as ``quickstart`` or ``networks/unet``.
        tracking: ``"mlflow"``, where the run is named after the overlays, or a file of MONAI's settings for it.
        settings: config ids of the bundle and their values, such as ``epochs`` or ``resume``.
        overrides: the same for MONAI, which runs what begins with ``$``, such as ``train::trainer::max_epochs``.
        progress: is told of each step.

    Raises:
        InputError: if the data cannot be used, or a setting has no meaning for the bundle.

    Example:
        >>> result = train("ms_lesion_segmentation_fanet", "data", "trained", overlays=["quickstart"])  # doctest: +SKIP
        >>> result.checkpoints  # doctest: +SKIP
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.find(bundle)
    output = Path(output_dir)
    given: dict[str, Any] = {"dataset_dir": dataset_dir, "output_dir": output}
    if tracking:
        if tracking != "mlflow" and not Path(tracking).is_file():
            raise InputError.at(f"`tracking` {tracking}", "no such kind or settings file", "set `tracking` to mlflow")
        # by default, MONAI loses this file where output_dir is no expression: it looks for "DIR + '/config...'"
        given["save_execute_config"] = output / "config.json"
        if tracking == "mlflow" and overlays:
            given["run_name"] = ", ".join(overlays)
    configuration = Configuration(bundle, ["train", *overlays], given, tracking)
    configuration.require(settings or {})
    configuration.update(settings or {})
    require_dataset(dataset_dir)
    with input_errors_unwrapped(), code_of(bundle.folder):
        configuration.override(overrides or {})
        with removed_on_error(output):  # data are read here, so this is where they turn out to be bad
            output.mkdir(parents=True, exist_ok=True)
            configuration.build()
        seconds = timed_run(configuration, f"training {bundle.name}", progress)
    return _result(configuration, output, seconds)


def require_dataset(dataset_dir: Path | str) -> None:
    """Check that there is a dataset.

    Raises:
        InputError: if there is neither folder nor file.
    """
    if not Path(dataset_dir).exists():
        raise InputError.at(dataset_dir, "no such folder or datalist", "check `dataset_dir`")


def timed_run(configuration: Configuration, label: str, progress: Progress) -> float:
    """Run what was built; return the seconds that it took, with those before it stopped and went on."""
    start = time.monotonic()
    configuration.run(label, progress)
    before = getattr(configuration.value(TRAINER).state, "seconds_before", 0.0)
    return time.monotonic() - start + before


def best_validation(configuration: Configuration) -> float | None:
    """Return the best metric of the validation, None without."""
    if VALIDATOR not in configuration:
        return None
    state = configuration.value(VALIDATOR).state
    return float(state.best_metric) if getattr(state, "best_metric_epoch", -1) > 0 else None


def _result(configuration: Configuration, output: Path, seconds: float) -> TrainingResult:
    checkpoints, store = sorted(output.glob("models/*.pt")), output / "mlruns.db"
    steps = configuration.value(TRAINER).state.iteration
    best = best_validation(configuration)
    return TrainingResult(output, checkpoints, steps, seconds, best, store if store.is_file() else None)

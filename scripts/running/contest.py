"""Evaluating a bundle's network and others on the same cases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from ...datasets import InputError, Selection, keep_images, select
from ...datasets.contrast_files import contrast_paths, in_order
from .bundle import Bundle, code_of
from .case_files import optional_contrasts
from .configuration import Configuration, Progress, no_progress
from .evaluation import CONFIGS, Condition, Evaluation, all_conditions, condition_name
from .mask_steps import require_mask_step
from .outputs import require_new, staged
from .records import write_derivative_description
from .third_parties import input_errors_unwrapped
from .training import require_dataset
from .written_files import WrittenFiles

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contestant:
    """A network to evaluate.

    Attributes:
        overlay: config that defines it; None for the bundle's own network.
        model: its weights. None for the file that the config names, or with an overlay for the file in the
            bundle's ``models`` of the overlay's name.
    """

    overlay: str | None = None
    model: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its predictions go within the output folder."""
        return Path() if self.overlay is None else Path("baselines") / Path(self.overlay).name

    def model_file(self, bundle: Bundle) -> Path | None:
        """Return the file of its weights, or None where the config decides."""
        if self.model is None and self.overlay is not None:
            return bundle.folder / "models" / f"{Path(self.overlay).name}.pt"
        return self.model


def evaluate(  # noqa: PLR0913 (what the command has as options)
    bundle: Bundle | str | Path,
    dataset_dir: Path | str,
    output_dir: Path | str,
    *,
    contestants: Sequence[Contestant] = (Contestant(),),
    vary: Sequence[Sequence[Condition]] = (),
    overlays: Sequence[str] = (),
    subjects: Sequence[str] | None = None,
    overwrite: bool = False,
    settings: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    finish: Callable[[list[Evaluation], Path], object] = lambda evaluations, folder: None,
) -> list[Evaluation]:
    """Measure networks of ``bundle`` on the same cases, and write what they predict: all of it, or nothing.

    Where there are several evaluations, the log tells the means of each as it ends, so that one that fails later does
    not take them along.

    Args:
        bundle: its name, folder, or the bundle itself.
        dataset_dir: BIDS folder or JSON datalist, with labels.
        output_dir: where the predictions go.
        contestants: the networks; by default the bundle's own, with the weights that ship.
        vary: lists of config ids and values; under each combination of one of each list all networks are measured.
        overlays: further configs of the bundle, for all of them; one may have such a list at its id ``vary``.
        subjects: evaluate only these; what else can be selected is at the id ``selection`` of ``settings``.
        overwrite: replace what an evaluation left in ``output_dir``, instead of refusing to.
        settings: config ids and values, such as ``allow_nan``.
        overrides: the same for MONAI, which runs what begins with ``$``, such as ``network_def::dropout``.
        progress: is told of each case.
        finish: is given all evaluations and their folder before it moves to ``output_dir``, with what it writes there.

    Returns:
        of each condition in turn, what each network achieved.

    Raises:
        InputError: if an input cannot be used, an id cannot vary, a subject has no case, weights are missing or not
            those that were shipped, or there are results already.

    Example:
        >>> (ours,) = evaluate("ms_lesion_segmentation_fanet", "data", "evaluation")  # doctest: +SKIP
        >>> dict(zip(ours.case_names, ours.column("dice")))  # doctest: +SKIP
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.find(bundle)
    if len({contestant.folder for contestant in contestants}) < len(contestants):
        raise InputError.at("`contestants`", "the same name given twice", "evaluate one of them in another run")
    from ...handlers.weights import existing_file

    configs, output = [*CONFIGS, *overlays], Path(output_dir)
    bundle.config_files([*configs, *(c.overlay for c in contestants if c.overlay is not None)])
    require_dataset(dataset_dir)
    for model in (contestant.model for contestant in contestants if contestant.model is not None):
        existing_file(model)
    given, evaluations = {"dataset_dir": str(dataset_dir), **(settings or {})}, []
    with input_errors_unwrapped(), keep_images(), code_of(bundle.folder), staged(output, overwrite) as stage:
        configuration = Configuration(bundle, configs, {"dataset_dir": dataset_dir})
        configuration.require(settings or {})
        configuration.override(overrides or {})
        conditions = all_conditions(configuration, vary)
        parts = [
            (condition, contestant, _folder(condition, contestant))
            for condition, contestant in product(conditions, contestants)
        ]
        require_new((output / folder / "dataset_description.json" for *_, folder in parts), overwrite)
        for condition, contestant, folder in parts:
            place = given | {"output_dir": str(stage / folder)}
            evaluations.append(
                evaluate_network(bundle, configs, place, contestant, subjects, overrides, condition, progress)
            )
            write_derivative_description(bundle, stage / folder, output / folder)
            if len(parts) > 1:
                logger.info("%s", _means(evaluations[-1]))
        finish(evaluations, stage)
    return [_moved(evaluation, stage, output) for evaluation in evaluations]


def _means(evaluation: Evaluation) -> str:
    name = " ".join(filter(None, (evaluation.network, evaluation.condition_name)))
    values = ", ".join(f"{metric} {numbers['mean']:.4g}" for metric, numbers in evaluation.statistics.items())
    return f"{name}: {values} (means, cases: {len(evaluation.cases)})"


def _folder(condition: Condition, contestant: Contestant) -> Path:
    return Path(condition_name(condition)) / contestant.folder


def evaluate_network(
    bundle: Bundle,
    configs: Sequence[str],
    settings: Mapping[str, Any],
    contestant: Contestant,
    subjects: Sequence[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    condition: Condition | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Run the evaluation workflow of one network.

    Args:
        bundle: whose configs.
        configs: such as ``("inference", "evaluate")``; the contestant's overlay comes after them.
        settings: config ids and values, ``output_dir`` among them; they hold whatever ``overrides`` say.
        contestant: which network.
        subjects: evaluate only these.
        overrides: config ids and values, for MONAI.
        condition: further settings, which tell this evaluation from others of the network.
        progress: is told of each case.

    Raises:
        InputError: if a subject has no case, or a network with parameters has no file of weights, or not that which
            shipped.
    """
    from .attention_maps import attention_maps

    overlay, model_file, condition = contestant.overlay, contestant.model_file(bundle), condition or {}
    configuration = Configuration(bundle, [*configs, *([overlay] if overlay else [])])
    configuration.override(overrides or {})
    configuration.update({**settings, **condition, **({"model_file": model_file} if model_file else {})})
    if subjects and "selection" in configuration:
        wanted = Selection.of(configuration.value("selection"))
        configuration.update({"selection": replace(wanted, subjects=list(subjects))})
    elif subjects:
        configuration.update({"cases": select(configuration.value("cases"), subjects)})
    for mask in (case["mask"] for case in configuration.value("cases") if case.get("mask")):
        require_mask_step(configuration, mask)
    configuration.build()
    written = WrittenFiles(configuration.value("evaluator"))
    configuration.run(f"evaluating {overlay or bundle.name} {condition_name(condition)}".rstrip(), progress)
    cases = configuration.value("cases")
    rows = _metrics_per_case(configuration, len(cases))
    return Evaluation(
        Path(overlay).name if overlay else configuration.network_name,
        _with_named_images(cases, configuration),
        rows,
        configuration.output_dir,
        configuration.value("contrasts"),
        configuration.weights_file,
        written.files,
        attention_maps(configuration) if "lesion_f1" in rows[0] else None,
        configuration.pictures,
        written.sampled,
        condition,
    )


def _metrics_per_case(configuration: Configuration, n_cases: int) -> list[dict[str, float]]:
    details = configuration.value("evaluator").state.metric_details
    columns = {name: values.reshape(n_cases, -1).mean(1).tolist() for name, values in details.items()}
    return [{name: values[i] for name, values in columns.items()} for i in range(n_cases)]


def _with_named_images(cases: list[dict[str, Any]], configuration: Configuration) -> list[dict[str, Any]]:
    if any("kspace" in case for case in cases):
        return cases
    contrasts, optional = configuration.value("contrasts"), optional_contrasts(configuration)
    return [case | {"image": in_order(contrast_paths(case["image"], contrasts, optional), contrasts)} for case in cases]


def _moved(evaluation: Evaluation, stage: Path, output_dir: Path) -> Evaluation:
    """Tell where the files are after they left ``stage``."""
    files = [[output_dir / file.relative_to(stage) for file in of_case] for of_case in evaluation.files]
    return replace(evaluation, output_dir=output_dir / evaluation.output_dir.relative_to(stage), files=files)

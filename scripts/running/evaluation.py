"""Evaluating a bundle's network and others on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import Case, InputError, keep_images, select
from .bundle import Bundle
from .bundle_code import code_of
from .configuration import Configuration, Pictures
from .input_errors import input_errors_unwrapped
from .outputs import staged
from .progress import Progress, no_progress
from .provenance import write_derivative_description
from .training import require_dataset
from .weights import existing_file, load_weights

if TYPE_CHECKING:
    from .attention_maps import AttentionMaps

CONFIGS = ("inference", "evaluate")


@dataclass(frozen=True)
class Evaluation:
    """What one network achieved.

    Attributes:
        network: its name in tables.
        cases: entries of the datalist, each with ``subject``, ``session``, ``image`` (paths) and ``label``.
        rows: metrics by name of each case, in the order of ``cases``; NaN where undefined.
        output_dir: where its predictions lie.
        contrasts: names of a case's images, in their order.
        model: file of its weights; None for a network without.
        files: what was written for each case.
        attention: what its folded attention attends to in the first case, if it has one.
        pictures: which of the images that it wrote belong together, where it makes images.
    """

    network: str
    cases: list[dict[str, Any]]
    rows: list[dict[str, float]]
    output_dir: Path
    contrasts: list[str]
    model: Path | None
    files: list[list[Path]] = field(default_factory=list)
    attention: AttentionMaps | None = None
    pictures: Pictures | None = None

    @property
    def case_names(self) -> list[str]:
        """Subject and session of the cases, as in file names."""
        return [Case.of(case).name for case in self.cases]

    def column(self, metric: str) -> list[float]:
        """Return the values of ``metric`` over the cases."""
        return [row[metric] for row in self.rows]


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


def evaluate(
    bundle: Bundle | str | Path,
    dataset_dir: Path | str,
    output_dir: Path | str,
    *,
    contestants: Sequence[Contestant] = (Contestant(),),
    overlays: Sequence[str] = (),
    subjects: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
) -> list[Evaluation]:
    """Measure networks of ``bundle`` on the same cases, and write what they predict: all of it, or nothing.

    Args:
        bundle: its name, folder, or the bundle itself.
        dataset_dir: BIDS folder or JSON datalist, with labels.
        output_dir: where the predictions go.
        contestants: the networks; by default the bundle's own, with the weights that ship.
        overlays: further configs of the bundle, for all of them.
        subjects: evaluate only these.
        settings: config ids and values, such as ``inferer::overlap``.
        progress: is told of each case.

    Raises:
        InputError: if an input cannot be used, a subject has no case, or weights are missing or not those that were
            shipped.

    Example:
        >>> (ours,) = evaluate("ms_lesion_segmentation_fanet", "data", "evaluation")  # doctest: +SKIP
        >>> dict(zip(ours.case_names, ours.column("dice")))  # doctest: +SKIP
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.find(bundle)
    if len({contestant.folder for contestant in contestants}) < len(contestants):
        raise InputError.at("`baseline`", "the same name given twice", "evaluate one of them in another run")
    configs, output = [*CONFIGS, *overlays], Path(output_dir)
    bundle.config_files([*configs, *(c.overlay for c in contestants if c.overlay is not None)])
    require_dataset(dataset_dir)
    for model in (contestant.model for contestant in contestants if contestant.model is not None):
        existing_file(model)
    evaluations = []
    with input_errors_unwrapped(), keep_images(), code_of(bundle.folder), staged(output) as stage:
        for contestant in contestants:
            folder = stage / contestant.folder
            given = {"dataset_dir": str(dataset_dir), **(settings or {}), "output_dir": str(folder)}
            evaluations.append(evaluate_network(bundle, configs, given, contestant, subjects, progress))
            write_derivative_description(bundle, folder)
    return [_moved(evaluation, stage, output) for evaluation in evaluations]


def evaluate_network(
    bundle: Bundle,
    configs: Sequence[str],
    settings: Mapping[str, Any],
    contestant: Contestant,
    subjects: Sequence[str] | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Run the evaluation workflow of one network.

    Args:
        bundle: whose configs.
        configs: such as ``("inference", "evaluate")``; the contestant's overlay comes after them.
        settings: config ids and values, ``output_dir`` among them.
        contestant: which network.
        subjects: evaluate only these.
        progress: is told of each case.

    Raises:
        InputError: if a subject has no case, or a network with parameters has no file of weights, or not that which
            shipped.
    """
    from .attention_maps import attention_maps
    from .written_files import WrittenFiles

    overlay, model_file = contestant.overlay, contestant.model_file(bundle)
    configuration = Configuration(bundle, [*configs, *([overlay] if overlay else [])], settings)
    configuration.disable("CheckpointLoader")
    if model_file:
        configuration.update({"model_file": str(model_file)})
    if subjects:
        configuration.update({"cases": select(configuration.value("cases"), subjects)})
    configuration.build()
    is_chosen = contestant.model is not None or "model_file" in settings
    model = load_weights(configuration, shipped_by=None if is_chosen else bundle)
    written = WrittenFiles(configuration.value("evaluator"))
    configuration.run(f"evaluating {overlay or bundle.name}", progress)
    cases = configuration.value("cases")
    rows = _metrics_per_case(configuration, len(cases))
    return Evaluation(
        Path(overlay).name if overlay else configuration.network_name,
        _with_named_images(cases, configuration.value("contrasts")),
        rows,
        configuration.output_dir,
        configuration.value("contrasts"),
        model,
        written.files,
        attention_maps(configuration) if "lesion_f1" in rows[0] else None,
        configuration.pictures,
    )


def _metrics_per_case(configuration: Configuration, n_cases: int) -> list[dict[str, float]]:
    details = configuration.value("evaluator").state.metric_details
    columns = {name: values.reshape(n_cases, -1).mean(1).tolist() for name, values in details.items()}
    return [{name: values[i] for name, values in columns.items()} for i in range(n_cases)]


def _with_named_images(cases: list[dict[str, Any]], contrasts: Sequence[str]) -> list[dict[str, Any]]:
    from ...transforms.load_contrasts import contrast_paths

    if any("kspace" in case for case in cases):
        return cases
    return [case | {"image": list(contrast_paths(case["image"], contrasts).values())} for case in cases]


def _moved(evaluation: Evaluation, stage: Path, output_dir: Path) -> Evaluation:
    """Tell where the files are after they left ``stage``."""
    files = [[output_dir / file.relative_to(stage) for file in of_case] for of_case in evaluation.files]
    return replace(evaluation, output_dir=output_dir / evaluation.output_dir.relative_to(stage), files=files)

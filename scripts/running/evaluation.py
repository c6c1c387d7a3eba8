"""Running evaluation workflows and collecting their metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import select
from ..reports.tables import Evaluation
from .bundles import build_workflow, network_name, read_pictures, run_workflow
from .weights import load_weights, without_loaders

if TYPE_CHECKING:
    from monai.bundle import ConfigWorkflow


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

    def model_file(self, bundle: Path) -> Path | None:
        """Return the file of its weights, or None where the config decides."""
        if self.model is None and self.overlay is not None:
            return bundle / "models" / f"{Path(self.overlay).name}.pt"
        return self.model


def evaluate_network(
    bundle: Path,
    configs: Sequence[str],
    settings: dict[str, Any],
    contestant: Contestant,
    subjects: Sequence[str] | None = None,
) -> Evaluation:
    """Run the evaluation workflow of one network.

    Args:
        bundle: folder of the bundle.
        configs: such as ``("inference", "evaluate")``; the contestant's overlay comes after them.
        settings: config ids and values, ``output_dir`` among them.
        contestant: which network.
        subjects: evaluate only these.

    Raises:
        InputError: if a subject has no case, or a network with parameters has no file of weights, or not that which
            shipped.
    """
    from ...transforms.load_contrasts import contrast_paths
    from .attention_maps import attention_maps
    from .written_files import WrittenFiles

    names = [*configs, *([contestant.overlay] if contestant.overlay else [])]
    model_file = contestant.model_file(bundle)
    weights = {"model_file": str(model_file)} if model_file else {}
    overrides = {**without_loaders(bundle, names), **settings, **weights}
    workflow = build_workflow(bundle, names, overrides, workflow_type="infer")
    parser = workflow.parser
    cases = parser.get_parsed_content("cases")
    if subjects:
        cases = select(cases, subjects)
        parser["cases"] = cases
        workflow.initialize()
    name = Path(contestant.overlay).name if contestant.overlay else network_name(workflow)
    is_chosen = contestant.model is not None or "model_file" in settings
    model = load_weights(workflow, shipped_by=None if is_chosen else bundle)
    written = WrittenFiles(parser.get_parsed_content("evaluator"))
    run_workflow(workflow)
    rows = _metrics_per_case(workflow, len(cases))
    contrasts = parser.get_parsed_content("contrasts")
    if not any("kspace" in case for case in cases):
        cases = [case | {"image": list(contrast_paths(case["image"], contrasts).values())} for case in cases]
    return Evaluation(
        name,
        cases,
        rows,
        Path(parser.get_parsed_content("output_dir")),
        contrasts,
        model,
        written.files,
        attention_maps(workflow) if "lesion_f1" in rows[0] else None,
        read_pictures(parser),
    )


def _metrics_per_case(workflow: ConfigWorkflow, n_cases: int) -> list[dict[str, float]]:
    details = workflow.parser.get_parsed_content("evaluator").state.metric_details
    columns = {name: values.reshape(n_cases, -1).mean(1).tolist() for name, values in details.items()}
    return [{name: values[i] for name, values in columns.items()} for i in range(n_cases)]

"""The benchmark ``inference``: whole cases by a bundle's windows, against MONAI's default ones in float32."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from monai.inferers import Inferer, SlidingWindowInferer
from torch import Tensor

from ...datasets import InputError
from ..running.bundle import BUNDLES, Bundle, code_of
from ..running.configuration import Configuration
from ..running.contest import Contestant, evaluate_network
from ..running.evaluation import CONFIGS
from .measurement import interleaved_times
from .result import MEDIANS, Result, Settings, grouped_bars, ratio

DEFAULT = "ms_lesion_segmentation_fanet"
MONAI, HERE = "MONAI's default", "here"


@dataclass
class CaseTimes:
    """Seconds of each round for one case, and the bundle's first metric with what each gives."""

    bundle: str
    case: str
    shape: tuple[int, ...]
    is_half: bool
    times: dict[str, list[float]] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)


class Rounds(Inferer):
    """Times two inferers in turn on each case; gives what ``shown`` made of it.

    Attributes:
        outputs: of each case, by the inferer's name.
        times: the same, seconds of each round.
        shapes: of each case's image.
    """

    def __init__(self, inferers: Mapping[str, Inferer], n_rounds: int, shown: str) -> None:
        super().__init__()
        self.inferers = inferers
        self.n_rounds = n_rounds
        self.shown = shown
        self.outputs: list[dict[str, Tensor]] = []
        self.times: list[dict[str, list[float]]] = []
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Run each of them as often as there are rounds, after one to warm up."""
        outputs: dict[str, Tensor] = {}

        def run(name: str) -> None:
            outputs[name] = self.inferers[name](inputs, network, *args, **kwargs)

        passes = [lambda name=name: run(name) for name in self.inferers]
        times = interleaved_times(passes, inputs.device, self.n_rounds)
        self.times.append(dict(zip(self.inferers, times, strict=True)))
        self.outputs.append(outputs)
        self.shapes.append(tuple(inputs.shape[2:]))
        return outputs[self.shown]


class Again(Inferer):
    """Gives what was made of each case before, in the same order."""

    def __init__(self, outputs: Sequence[Tensor]) -> None:
        super().__init__()
        self._outputs = iter(outputs)

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Give the next one."""
        return next(self._outputs)


def inference(settings: Settings) -> Result:
    """Compare the windows of bundles with MONAI's default ones, on the cases of a dataset with labels.

    Raises:
        InputError: if there is no dataset, or a bundle is not known or has no windows.
    """
    if settings.dataset_dir is None:
        raise InputError.at("benchmark inference", "has no cases", "give a BIDS folder or datalist as `dataset_dir`")
    known = sorted(file.parents[1].name for file in BUNDLES.glob("*/models/model.pt"))
    names = [DEFAULT] if settings.names is None else settings.choose(known, "bundle")
    costs = [cost for name in names for cost in measure_inference(name, settings)]
    return Result(
        "Whole cases by windows",
        {"reference": "SlidingWindowInferer(roi_size=patch), float32", "costs": [asdict(cost) for cost in costs]},
        inference_rows(costs),
        _bars(costs),
        f"Network alone, without reading and writing. {MEDIANS}",
    )


def measure_inference(name: str, settings: Settings) -> list[CaseTimes]:
    """Time both inferers on each case in turn, and measure what each gives.

    Raises:
        InputError: if the bundle has no windows.
    """
    bundle = Bundle.find(name)
    given = {"dataset_dir": str(settings.dataset_dir), "device": settings.device}
    with code_of(bundle.folder), tempfile.TemporaryDirectory() as folder:
        configuration = Configuration(bundle, CONFIGS, given)
        if "patch" not in configuration:
            raise InputError.at(f"--blocks {name}", "a bundle without windows", f"choose {DEFAULT}")
        settings.progress(f"{name}: both inferers in turn")
        monai = SlidingWindowInferer(configuration.value("patch"))
        rounds = Rounds({MONAI: monai, HERE: configuration.value("inferer")}, settings.n_rounds, HERE)
        metrics = {}
        for part, inferer in ((HERE, rounds), (MONAI, None)):
            used = inferer or Again([outputs[part] for outputs in rounds.outputs])
            place = {**given, "output_dir": str(Path(folder, part)), "inferer": used}
            evaluation = evaluate_network(bundle, CONFIGS, place, Contestant())
            metrics[part] = evaluation.rows
        is_half = bool(configuration.value("half_precision"))
    return [
        CaseTimes(name, case, shape, is_half, times, {part: rows[i] for part, rows in metrics.items()})
        for i, (case, shape, times) in enumerate(zip(evaluation.case_names, rounds.shapes, rounds.times, strict=True))
    ]


def inference_rows(costs: Sequence[CaseTimes]) -> list[dict[str, str]]:
    """Rows of the table; ratios are medians of those within a round, with quartiles."""
    return [_row(cost) for cost in costs]


def _row(cost: CaseTimes) -> dict[str, str]:
    metric, *_ = cost.metrics[HERE]
    return {
        "case": cost.case,
        "volume": " x ".join(map(str, cost.shape)),
        **{f"{part} (s)": _seconds(cost.times[part]) for part in (MONAI, HERE)},
        "precision here": "bfloat16" if cost.is_half else "float32",
        "of MONAI's": ratio(cost.times[HERE], cost.times[MONAI]),
        **{f"{metric}, {part}": f"{cost.metrics[part][metric]:.4f}" for part in (MONAI, HERE)},
    }


def _seconds(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f} ({min(times):.2f}-{max(times):.2f})"


def _bars(costs: Sequence[CaseTimes]) -> bytes:
    medians = {part: [statistics.median(cost.times[part]) for cost in costs] for part in (MONAI, HERE)}
    return grouped_bars([cost.case for cost in costs], {"seconds": medians})

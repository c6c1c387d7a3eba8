"""Where the probability maps of patients lie on whom networks were not trained, and their true masks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...datasets import Case, InputError
from .bundle import Bundle
from .configuration import Configuration
from .evaluation import CONFIGS, SUMMARY
from .written_files import PROBABILITY

FOLDERS, RECORD = "left-out-*", "plan.json"
EVALUATED = "evaluated"
"""In the place of a training's name, for weights that evaluate was given."""


class MapFiles(NamedTuple):
    """A probability map of a case, and what belongs to it.

    Attributes:
        names: patient, visit and network.
        probability: the map.
        label: the true mask.
        case: images, as the network got them.
    """

    names: tuple[str, str, str]
    probability: Path
    label: str
    case: Case


Files = Iterator[MapFiles]


def temperature_of(results: Path, bundle: Bundle) -> float:
    """Return the temperature with which maps of ``bundle`` were made, by settings, overlays and configs.

    Args:
        results: output of ``compare --leave-one-out`` or ``evaluate``.
        bundle: whose temperature.

    Raises:
        InputError: if they are of another bundle, or there are none.
    """
    plan = next((plan for _, plan in _plans(results)), None)
    if plan is None:
        plan = _provenance(results)
    if plan.get("bundle") != bundle.name:
        raise InputError.at(results, f"holds results of {plan.get('bundle')}", f"give it in place of {bundle.name}")
    merged = [str(bundle.folder / name) for name in plan.get("configs", [])[len(CONFIGS) :]]
    overlays = plan.get("overlays", merged)
    configuration = Configuration(bundle, [*CONFIGS, *overlays])
    return float(plan.get("settings", {}).get("temperature", configuration.value("temperature")))


def map_files(results: Path, configuration: Configuration, network: str, dataset_dir: Path | None) -> Files:
    """Yield the maps of all that was tested, with what belongs to them.

    Args:
        results: output of ``compare --leave-one-out`` or ``evaluate``.
        configuration: inference and evaluation of the bundle.
        network: whose maps of a comparison, by the short name that its folders begin with.
        dataset_dir: BIDS folder or datalist with the true masks, where they have moved since.

    Raises:
        InputError: if a map or a true mask is missing.
    """
    if any(results.glob(f"{FOLDERS}/{RECORD}")):
        return _compared(results, network, _moved(configuration, dataset_dir))
    return _evaluated(results, configuration, dataset_dir)


def _evaluated(results: Path, configuration: Configuration, dataset_dir: Path | None) -> Files:
    """Take all patients of a dataset whom an evaluation has a map of."""
    given = dataset_dir or Path(_provenance(results)["dataset"])
    if not given.exists():
        raise InputError.at(
            given, "is not there any more", "give the dataset that they were tested on as `dataset_dir`"
        )
    for case in _cases(configuration, given):
        if (path := _found(case, results)) is not None:
            label = _existing_label(case.label, f"{given}: {case.name}")
            yield MapFiles((case.subject, case.name, EVALUATED), path, label, case)


def _provenance(results: Path) -> dict[str, Any]:
    """Return what an evaluation was made with."""
    file, remedy = results / SUMMARY, "give the output folder of compare --leave-one-out, or of evaluate"
    if not file.is_file():
        raise InputError.at(results, f"holds no folder {FOLDERS} and no {SUMMARY}", remedy)
    try:
        return dict(json.loads(file.read_text(encoding="utf-8"))["provenance"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError.at(file, f"cannot be read ({error})", remedy) from error


def _plans(comparison: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for record in sorted(comparison.glob(f"{FOLDERS}/{RECORD}")):
        try:
            yield record.parent, dict(json.loads(record.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise InputError.at(record, f"cannot be read ({error})", "run compare again") from error


def _compared(comparison: Path, network: str, moved: Mapping[str, Case]) -> Files:
    for folder, plan in _plans(comparison):
        trained = sorted(path for path in folder.glob(f"{network}-*") if path.name[len(network) + 1 :].isdigit())
        if not trained:
            remedy = "run the same compare to its end, or remove the folder of a patient who is not to count"
            raise InputError.at(folder, f"holds no {network} that was trained", remedy)
        for case in map(Case.of, plan.get("test cases", [])):
            now = moved.get(case.name, case)
            label = _existing_label(now.label, f"{folder / RECORD}: {case.name}")
            for training in trained:
                names = (case.subject, case.name, training.name)
                yield MapFiles(names, _map_of(case, training / "test"), label, now)


def _moved(configuration: Configuration, dataset_dir: Path | None) -> dict[str, Case]:
    """Return cases with true masks by name, where images and masks lie now."""
    if dataset_dir is None:
        return {}
    return {case.name: case for case in _cases(configuration, dataset_dir) if case.label is not None}


def _cases(configuration: Configuration, dataset_dir: Path) -> Iterator[Case]:
    configuration.update({"dataset_dir": str(dataset_dir)})
    cases: Iterable[dict[str, Any]] = configuration.value("cases")
    return map(Case.of, cases)


def _existing_label(label: str | None, place: str) -> str:
    if label is None or not Path(label).exists():
        remedy = "give the dataset that they were tested on as `dataset_dir`"
        raise InputError.at(label or place, "no such true mask", remedy)
    return label


def _map_of(case: Case, folder: Path) -> Path:
    if (path := _found(case, folder)) is None:
        remedy = "run compare --leave-one-out to its end, without vary"
        raise InputError.at(_paths(case, folder)[0], "no such probability map", remedy)
    return path


def _found(case: Case, folder: Path) -> Path | None:
    return next(filter(Path.is_file, _paths(case, folder)), None)


def _paths(case: Case, folder: Path) -> list[Path]:
    """Return where a map may lie, by the image that it is named after."""
    from ...transforms.save_derivative import derivative_path

    images = [case.image] if isinstance(case.image, str) else [image for image in case.image if image]
    prefix = str(case.others.get("result_prefix", ""))
    return [derivative_path(folder, image, PROBABILITY, prefix) for image in reversed(images)]

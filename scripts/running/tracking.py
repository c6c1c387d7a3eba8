"""Records of a training: curves from an MLflow store or TensorBoard's event files, and artifacts for the store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Curves = dict[str, tuple[Sequence[float], Sequence[float]]]


def read_curves(training_dir: Path) -> Curves:
    """Return steps and values by name of all that was recorded at least twice; empty without records.

    Args:
        training_dir: output folder of a training, with ``mlruns.db`` or event files somewhere below.
    """
    if (store := training_dir / "mlruns.db").is_file():
        client, run = _latest_run(store)
        histories = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
        curves: Curves = {
            name: ([point.step for point in points], [point.value for point in points])
            for name, points in histories.items()
        }
    else:
        curves = _read_events(training_dir)
    return {name: curve for name, curve in curves.items() if len(curve[0]) > 1}


def log_artifacts(store: Path, files: Iterable[Path]) -> None:
    """Keep copies of ``files`` as artifacts of the latest run of an MLflow store."""
    client, run = _latest_run(store)
    for file in files:
        client.log_artifact(run.info.run_id, str(file))


def _latest_run(store: Path) -> tuple[MlflowClient, Run]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{store.absolute()}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client, client.search_runs(experiments, order_by=["attributes.start_time DESC"], max_results=1)[0]


def _read_events(training_dir: Path) -> Curves:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: dict[str, dict[int, float]] = {}  # a training that goes on writes a file of its own, and some steps again
    for file in sorted(training_dir.rglob("events.out.tfevents.*"), key=os.path.getmtime):
        events = EventAccumulator(str(file)).Reload()
        for name in events.Tags()["scalars"]:
            found.setdefault(name, {}).update((point.step, point.value) for point in events.Scalars(name))
    curves = {name: sorted(points.items()) for name, points in found.items()}
    return {name: ([step for step, _ in points], [value for _, value in points]) for name, points in curves.items()}

"""MONAI's ways into an exported bundle, from an unrelated folder; the table in docs/sharing.md names these tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigWorkflow, create_workflow, load, run
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems, WeightType
from monai.fl.utils.exchange_object import ExchangeObject

from tests.scripts.sharpening_bundle import small_network

pytestmark = [
    pytest.mark.usefixtures("elsewhere"),
    pytest.mark.filterwarnings("ignore:parsing config_file"),
    pytest.mark.filterwarnings("ignore:executing the bundle config"),
]


def evaluated(root: Path, *names: str, **settings: Any) -> dict[str, float]:
    files = [str(root / "configs" / name) for name in names]
    workflow = ConfigWorkflow(files, workflow_type="infer", logging_file=False, bundle_root=str(root), **settings)
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    metrics: dict[str, float] = workflow.evaluator.state.metrics
    return metrics


@pytest.mark.parametrize("name", ["inference.yaml", "inference.json"])
def test_run_infers_with_the_weights_that_shipped(name: str, exported: Path, tmp_path: Path) -> None:
    with torch.no_grad():
        wanted = float(small_network()(torch.ones(1, 1, 4, 4, 4)).mean())
    written = tmp_path / "mean.pt"
    saved = ["$@evaluator.run()", f"$torch.save(float(@evaluator.state.output[0]['pred'].mean()), '{written}')"]
    run(config_file=str(exported / "configs" / name), bundle_root=str(exported), logging_file=False, run=saved)
    assert torch.load(written) == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["inference.yaml", "inference.json"])
def test_run_without_the_bundles_root_fails_and_says_so(name: str, exported: Path) -> None:
    with pytest.raises(RuntimeError) as raised:
        run(config_file=str(exported / "configs" / name), logging_file=False)
    cause: BaseException = raised.value
    while cause.__cause__ is not None:
        cause = cause.__cause__
    assert "no weights of SRCNN3D" in str(cause)
    assert "--bundle_root" in str(cause)


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_load_returns_the_network_with_its_weights(kind: str, exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(exported))
    network = load(exported.name, bundle_dir=str(exported.parent), workflow_type=kind)
    wanted = small_network().state_dict()
    assert type(network).__module__ == "scripts.networks.nets.srcnn3d"
    assert all(torch.equal(tensor.cpu(), wanted[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(("kind", "name"), [("train", "train.json"), ("infer", "inference.json")])
def test_created_workflow_has_what_monai_asks_for(kind: str, name: str, exported: Path) -> None:
    file = str(exported / "configs" / name)
    workflow = create_workflow(config_file=file, workflow_type=kind, bundle_root=str(exported), logging_file=False)
    assert type(workflow.network_def).__name__ == "SRCNN3D"
    assert workflow.bundle_root == str(exported)


def test_evaluation_follows_inference_or_as_in_the_zoo_training(exported: Path, tmp_path: Path) -> None:
    settings = {"output_dir": str(tmp_path / "out"), "dataset_dir": str(tmp_path)}
    found = [
        evaluated(exported, *names, **settings)
        for names in (
            ("inference.yaml", "evaluate.yaml"),
            ("inference.json", "evaluate.json"),
            ("train.json", "evaluate.json"),
            ("evaluate.json",),
        )
    ]
    assert found[0]["error"] > 0
    assert found[1:] == found[:1] * 3


@pytest.mark.slow
@pytest.mark.parametrize("names", [("inference.yaml", "evaluate.yaml"), ("train.json", "evaluate.json")])
def test_tracked_evaluation_is_an_experiment_of_the_bundles_name(
    names: tuple[str, ...], exported: Path, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    files, output = [str(exported / "configs" / name) for name in names], tmp_path / "out"
    run(config_file=files, bundle_root=str(exported), output_dir=str(output), tracking="mlflow", logging_file=False)
    client = MlflowClient(tracking_uri=f"sqlite:///{output / 'mlruns.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
    assert experiment.name == "sharpen"
    (tracked,) = client.search_runs([experiment.experiment_id])
    assert tracked.data.metrics == {"error": pytest.approx(evaluated(exported, *names)["error"])}


def test_training_runs_from_json(exported: Path, tmp_path: Path) -> None:
    file = str(exported / "configs" / "train.json")
    run(config_file=file, bundle_root=str(exported), output_dir=str(tmp_path / "out"), logging_file=False)
    assert (tmp_path / "out" / "models").is_dir()


def test_client_of_a_federation_trains_and_evaluates_by_its_defaults(exported: Path, tmp_path: Path) -> None:
    client = MonaiAlgo(
        bundle_root=exported.name,
        train_kwargs={"output_dir": str(tmp_path / "site-1")},
        eval_kwargs={"output_dir": str(tmp_path / "site-1")},
    )
    client.initialize({ExtraItems.CLIENT_NAME: "site-1", ExtraItems.APP_ROOT: str(exported.parent)})
    shared = {name: torch.zeros_like(tensor) for name, tensor in small_network().state_dict().items()}
    assert client.evaluate(ExchangeObject(weights=shared)).metrics == {"error": pytest.approx(2.0)}
    client.train(ExchangeObject(weights=shared))
    update = client.get_weights()
    client.finalize()
    assert update.weight_type == WeightType.WEIGHT_DIFF
    assert set(update.weights) == set(shared)
    assert max(float(tensor.abs().max()) for tensor in update.weights.values()) > 0
    assert not (tmp_path / "site-1").exists()

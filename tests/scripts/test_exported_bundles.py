"""Each exported bundle, unpacked into an empty folder and run by MONAI alone, from an unrelated working directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

from mri_attention.scripts.exports.exported_bundle import write_bundle
from mri_attention.scripts.exports.reproducible_zip import extract_zip, write_zip
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.simulation.cohort import simulate_dataset
from tests.helpers import WITHOUT_PROJECT

SHORT = {"epochs": 1, "steps": 1, "val_interval": 1, "progress": False, "validation_share": 0.5}
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "brain_super_resolution_cftn": (
        {"network_def::channels": 4, "network_def::n_blocks": 2, "network_def::projections": [1]},
        {"patch": 8},
        "rec-cftn_T1w",
    ),
    "guided_reconstruction_manet": (
        {"network_def::width": 4},
        {"matrix": [48, 40], "spacing": 4.0, "validation_slices": 2},
        "rec-manet_T2w",
    ),
    "guided_super_resolution_sanet": (
        {"network_def::network::n_stages": 1, "network_def::network::n_blocks": 1},
        {"patch": [24, 24]},
        "rec-sanet_T2w",
    ),
    "ms_lesion_segmentation_fanet": (
        {"network_def::network::channels": [8, 16, 24], "spacing": [4.0, 4.0, 4.0], "patch": [24, 24, 24]},
        {},
        "label-lesion_mask",
    ),
    "qsm_reconstruction_fanet": (
        {
            "network_def::channels": [4, 8],
            "classical": {"method": "tikhonov", "weight": 0.01},
            "patch": [16, 16, 16],
        },
        {},
        "Chimap",
    ),
}
"""For each bundle: a small network and setting for training and evaluation, more for training, suffix of results."""

EVALUATIONS = {
    "evaluation": ["inference.yaml", "evaluate.yaml"],
    "as in the zoo": ["train.json", "evaluate.json"],
    "in one file": ["evaluate.json"],
}
"""Folders of results, and configs of which an evaluation can be made."""

INFERENCES = ("inference.yaml", "workflow", "inference")

ALONE = (
    WITHOUT_PROJECT
    + """
import json
from pathlib import Path
from monai.bundle import create_workflow, load, run

for run_id, settings in json.loads(sys.argv[1]):
    if run_id == "create_workflow":
        workflow = create_workflow(workflow_type="infer", **settings)
        workflow.run()
        workflow.finalize()
    else:
        run(run_id=run_id, **settings)
    code = sys.modules["scripts"].__file__
    assert code.startswith(settings["bundle_root"]), code
root = Path(settings["bundle_root"])
networks = [load(root.name, bundle_dir=str(root.parent), workflow_type=kind) for kind in ("train", "inference")]
assert all(type(network).__module__.startswith("scripts.networks.nets.") for network in networks), networks
"""
)


FEDERATION = (
    WITHOUT_PROJECT
    + """
import json
from pathlib import Path
import torch
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems
from monai.fl.utils.exchange_object import ExchangeObject

root, sites = Path(sys.argv[1]), json.loads(sys.argv[2])
clients = []
for name, arguments in sites.items():
    clients.append(MonaiAlgo(bundle_root=root.name, **arguments))
    clients[-1].initialize({ExtraItems.CLIENT_NAME: name, ExtraItems.APP_ROOT: str(root.parent)})
code = sys.modules["scripts"].__file__
assert code.startswith(str(root)), code
shared = {name: value.clone() for name, value in clients[0].trainer.network.state_dict().items()}
metrics = []
for _ in range(2):
    updates = []
    for client in clients:
        client.train(ExchangeObject(weights=shared))
        updates.append({name: value.clone() for name, value in client.get_weights().weights.items()})
    assert any(not torch.equal(updates[0][name], updates[1][name]) for name in shared), "the same from different data"
    before, shared = shared, {name: value + (updates[0][name] + updates[1][name]) / 2 for name, value in shared.items()}
    assert any(not torch.equal(before[name], shared[name]) for name in shared), "the shared weights stay"
    metrics.append([client.evaluate(ExchangeObject(weights=shared)).metrics for client in clients])
for client in clients:
    client.finalize()
print(json.dumps(metrics))
"""
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated subjects, with local fields."""
    folder = tmp_path_factory.mktemp("data") / "cohort"
    simulate_dataset(folder, n_subjects=2, seed=1, spacing=4.0, susceptibility=True)
    return folder


@pytest.fixture(scope="module", params=SMALL)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, exported, of which only the archive was kept and unpacked into an empty folder."""
    name, folder = request.param, tmp_path_factory.mktemp("exported")
    (folder / "shared" / name).mkdir(parents=True)
    write_bundle(BUNDLES / name, folder / "shared" / name)
    write_zip(folder / "shared.zip", folder / "shared" / name)
    shutil.rmtree(folder / "shared")
    extract_zip(folder / "shared.zip", folder / "empty")
    return folder / "empty" / name


def workflows(root: Path, cohort: Path, output: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return ids and arguments of a training of one epoch, of evaluations and inferences with what it gave, and of an
    inference with the weights that ship."""
    small, training, _ = SMALL[root.name]
    trained = {**small, "model_file": str(output / "training" / "models" / "checkpoint_last.pt")}

    def settings(name: str, files: list[str], given: dict[str, Any]) -> dict[str, Any]:
        shared = {"bundle_root": str(root), "dataset_dir": str(cohort), "logging_file": False}
        paths = [str(root / "configs" / file) for file in files]
        return {**shared, "config_file": paths, "output_dir": str(output / name), **given}

    return [
        ("training", settings("training", ["train.yaml"], {**small, **training, **SHORT})),
        *(("run", settings(name, files, trained)) for name, files in EVALUATIONS.items()),
        ("run", settings("inference.yaml", ["inference.yaml"], trained)),
        ("create_workflow", settings("workflow", ["inference.json"], trained)),
        ("inference", settings("inference", ["inference.json"], {})),
    ]


def test_every_bundle_is_tried() -> None:
    assert {file.parents[1].name for file in BUNDLES.glob("*/configs/metadata.json")} == set(SMALL)


def run_alone(code: str, folder: Path, *arguments: str) -> str:
    """Run ``code`` without this package in an empty folder, which stays empty; return what it prints."""
    (folder / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder / "elsewhere",
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=3500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list((folder / "elsewhere").iterdir()), "writes into its output folder alone"
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_exported_bundle_trains_evaluates_and_predicts_alone(root: Path, cohort: Path, tmp_path: Path) -> None:
    run_alone(ALONE, tmp_path, json.dumps(workflows(root, cohort, tmp_path / "out")))
    measured = [(tmp_path / "out" / name / "metrics" / "metrics.csv").read_text() for name in EVALUATIONS]
    assert measured == measured[:1] * len(EVALUATIONS), "evaluations of the same weights, in whatever way"
    for workflow in (*EVALUATIONS, *INFERENCES):
        results = sorted((tmp_path / "out" / workflow).glob(f"sub-*/anat/sub-???_{SMALL[root.name][2]}.nii.gz"))
        assert [file.name[:7] for file in results] == ["sub-001", "sub-002"], workflow


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_clients_of_a_federation_train_and_evaluate(root: Path, cohort: Path, tmp_path: Path) -> None:
    small, training, _ = SMALL[root.name]
    sites = {}
    for name, mine, others in (("site-1", 0, 1), ("site-2", 1, 0)):
        shared = {"dataset_dir": str(cohort), "output_dir": str(tmp_path / name), **small}
        parts = {"parts": [f"$@cases[{i}:{i + 1}]" for i in (mine, others)]}
        evaluated = {"selection::subjects": [f"{mine + 1:03d}"], "handlers::0::_disabled_": True}
        rounds = {"epochs": 2, "steps": 2}  # one epoch a round; the learning rate goes by their number
        sites[name] = {"train_kwargs": shared | training | SHORT | rounds | parts, "eval_kwargs": shared | evaluated}
    printed = run_alone(FEDERATION, tmp_path, str(root), json.dumps(sites))
    (key,) = json.loads((root / "configs" / "evaluate.json").read_text())["key_metric"]
    for metrics in json.loads(printed.splitlines()[-1]):
        first, second = (site[key] for site in metrics)
        assert isfinite(first)
        assert isfinite(second)
        assert first != second or root.name == "ms_lesion_segmentation_fanet", "each on its own data"

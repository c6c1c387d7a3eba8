"""Each exported bundle, unpacked into an empty folder and run by MONAI alone, from an unrelated working directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.simulation.cohort import simulate_dataset
from tests.helpers import WITHOUT_PROJECT

Run = Callable[..., int]

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

EVALUATIONS = ("evaluation", "as in the zoo")

ALONE = (
    WITHOUT_PROJECT
    + """
import json
from pathlib import Path
from monai.bundle import load, run

for run_id, settings in json.loads(sys.argv[1]):
    run(run_id=run_id, **settings)
    code = sys.modules["scripts"].__file__
    assert code.startswith(settings["bundle_root"]), code
root = Path(settings["bundle_root"])
networks = [load(root.name, bundle_dir=str(root.parent), workflow_type=kind) for kind in ("train", "inference")]
assert all(type(network).__module__.startswith("scripts.networks.nets.") for network in networks), networks
"""
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated subjects, with local fields."""
    folder = tmp_path_factory.mktemp("data") / "cohort"
    simulate_dataset(folder, n_subjects=2, seed=1, spacing=4.0, susceptibility=True)
    return folder


def unpacked(run_command: Run, name: str, folder: Path) -> Path:
    """Export the bundle, remove all but the archive, and unpack that into an empty folder."""
    assert run_command("export", name, "--output", folder / "shared") == 0
    (archive,) = (folder / "shared").glob("*.zip")
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder / "empty")
    (folder / "shared").rename(folder / "gone")
    return folder / "empty" / name


def workflows(root: Path, cohort: Path, output: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return ids and arguments of a training of one epoch, an evaluation of what it gave, and an inference."""
    small, training, _ = SMALL[root.name]
    shared = {"bundle_root": str(root), "dataset_dir": str(cohort), "logging_file": False}

    def files(*names: str, kind: str = "yaml") -> dict[str, Any]:
        return {"config_file": [str(root / "configs" / f"{name}.{kind}") for name in names]}

    trained = str(output / "training" / "models" / "checkpoint_last.pt")
    return [
        (
            "training",
            {**shared, **files("train"), **small, **training, **SHORT, "output_dir": str(output / "training")},
        ),
        (
            "run",
            {
                **shared,
                **files("inference", "evaluate"),
                **small,
                "model_file": trained,
                "output_dir": str(output / "evaluation"),
            },
        ),
        (
            "run",
            {
                **shared,
                **files("train", "evaluate", kind="json"),
                **small,
                "model_file": trained,
                "output_dir": str(output / "as in the zoo"),
            },
        ),
        ("inference", {**shared, **files("inference", kind="json"), "output_dir": str(output / "inference")}),
    ]


def test_every_bundle_is_tried() -> None:
    assert {file.parents[1].name for file in BUNDLES.glob("*/configs/metadata.json")} == set(SMALL)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SMALL)
def test_exported_bundle_trains_evaluates_and_predicts_alone(
    name: str, run_command: Run, cohort: Path, tmp_path: Path
) -> None:
    root = unpacked(run_command, name, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", ALONE, json.dumps(workflows(root, cohort, tmp_path / "out"))],
        cwd=tmp_path / "elsewhere",
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=3500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    measured = [(tmp_path / "out" / name / "metrics" / "metrics.csv").read_text() for name in EVALUATIONS]
    assert measured[0] == measured[1], "evaluations of the same weights, in YAML and as in the zoo"
    for workflow in (*EVALUATIONS, "inference"):
        results = sorted((tmp_path / "out" / workflow).glob(f"sub-*/anat/sub-???_{SMALL[name][2]}.nii.gz"))
        assert [file.name[:7] for file in results] == ["sub-001", "sub-002"], workflow
    assert not list((tmp_path / "elsewhere").iterdir()), "writes into its output folder alone"

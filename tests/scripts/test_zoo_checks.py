"""The model zoo's ``ci/verify_bundle.py`` and the pattern of its unit tests, on each exported bundle.

What they ask is written anew here, in their order: the folder, version and changelog, metadata by the schema (which
lies at hand, so that none is downloaded), shapes, TorchScript; then training, evaluation and inference as workflows
with ``logging.conf`` and ``metadata.json``. As there, the working directory holds ``models/NAME``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mri_attention.scripts.checks.metadata_rules import METADATA
from mri_attention.scripts.exports.exported_bundle import write_bundle
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.simulation.cohort import simulate_dataset
from tests.helpers import WITHOUT_PROJECT
from tests.scripts.test_exported_bundles import SHORT, SMALL

SECOND_INPUT = {"guided_reconstruction_manet": ["one_input.yaml"]}
"""Overlays without which MONAI's checks, which pass one tensor, cannot call the network."""

VERIFIED = """
from pathlib import Path
from monai.bundle import ckpt_export, verify_metadata, verify_net_in_out

name, schema, *overlays = sys.argv[1:]
root = Path("models") / name
sys.path.insert(0, str(root))
for file in ("configs/metadata.json", "configs/inference.json", "configs/logging.conf", "LICENSE", "models/model.pt"):
    assert (root / file).is_file(), file
metadata = json.loads((root / "configs" / "metadata.json").read_text())
assert metadata["version"] in metadata["changelog"]
files = {"meta_file": str(root / "configs" / "metadata.json"), "bundle_root": str(root)}
config = [str(root / "configs" / file) for file in ("inference.json", *overlays)]
verify_metadata(meta_file=files["meta_file"], filepath=schema)
image = "_meta_::network_data_format::inputs::image::"  # its real and imaginary part, guide and mask as channels
one_input = {image + "num_channels": 4, image + "dtype": "float32"} if overlays else {}
verify_net_in_out(net_id="network_def", config_file=config, **files, **one_input)
weights, script = str(root / "models" / "model.pt"), str(root / "models" / "verify_model.ts")
ckpt_export(net_id="network_def", filepath=script, ckpt_file=weights, config_file=config[0], **files)
torch.jit.load(script)
"""

UNIT_TEST = """
from monai.bundle import ConfigWorkflow

name, settings = sys.argv[1], json.loads(sys.argv[2])
root = f"models/{name}"
sys.path.insert(0, root)
for kind, names in (("train", ["train"]), ("train", ["train", "evaluate"]), ("infer", ["inference"])):
    workflow = ConfigWorkflow(
        config_file=[f"{root}/configs/{file}.json" for file in names],
        workflow_type=kind,
        logging_file=f"{root}/configs/logging.conf",
        meta_file=f"{root}/configs/metadata.json",
        bundle_root=root,
        **settings["shared"],
        **settings[names[-1]],
    )
    workflow.initialize()
    if "evaluate" not in names:  # which replaces parts of the training, so that there they are not checked either
        assert not workflow.check_properties()
    workflow.run()
    workflow.finalize()
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module", params=SMALL)
def zoo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one bundle in ``models/``."""
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "models" / request.param).mkdir(parents=True)
    write_bundle(BUNDLES / request.param, folder / "models" / request.param)
    return folder


def run_alone(code: str, folder: Path, *arguments: str) -> None:
    """Run ``code`` in ``folder`` with the name of its bundle, where this package cannot be imported."""
    (bundle,) = (folder / "models").iterdir()
    done = subprocess.run(
        [sys.executable, "-c", f"{WITHOUT_PROJECT}\nimport json\nimport torch\n{code}", bundle.name, *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=3500,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_bundle_is_verified(zoo: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(METADATA))
    (bundle,) = (zoo / "models").iterdir()
    run_alone(VERIFIED, zoo, str(tmp_path / "schema.json"), *SECOND_INPUT.get(bundle.name, []))


def test_workflows_run_as_in_the_unit_tests(zoo: Path, tmp_path: Path) -> None:
    simulate_dataset(tmp_path / "cohort", n_subjects=2, seed=1, spacing=4.0, susceptibility=True)
    (bundle,) = (zoo / "models").iterdir()
    small, training, suffix = SMALL[bundle.name]
    trained = {"model_file": str(tmp_path / "train" / "models" / "checkpoint_last.pt")}
    settings: dict[str, Any] = {
        "shared": {"dataset_dir": str(tmp_path / "cohort"), **small},
        "train": {"output_dir": str(tmp_path / "train"), **training, **SHORT},
        "evaluate": {"output_dir": str(tmp_path / "evaluate"), **trained},
        "inference": {"output_dir": str(tmp_path / "inference"), **trained},
    }
    run_alone(UNIT_TEST, zoo, json.dumps(settings))
    assert (tmp_path / "evaluate" / "metrics" / "metrics.csv").is_file()
    for part in ("evaluate", "inference"):
        assert len(sorted((tmp_path / part).glob(f"sub-*/anat/sub-???_{suffix}.nii.gz"))) == 2, part

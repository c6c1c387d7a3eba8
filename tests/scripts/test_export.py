"""Tests of scripts.export: what an exported bundle holds, and that it runs without this package."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from mri_attention.datasets import InputError
from mri_attention.scripts.checks.all_checks import check_bundle
from mri_attention.scripts.exports.exported_bundle import write_bundle
from mri_attention.scripts.exports.exported_configs import exported_configs
from mri_attention.scripts.exports.package_versions import ZOO_VERSIONS, exact_versions, zoo_versions
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.simulation.cohort import simulate_dataset
from tests.helpers import WITHOUT_PROJECT

Run = Callable[..., int]

INFERENCE = """# Mark voxels.
imports:
- $import torch
bundle_root: .
find_cases: {_target_: mri_attention.datasets.find_cases, _mode_: callable}
cases: $@find_cases(@bundle_root, ['T1w'])  # all
names: $[f.__name__ for f in (@find_cases, len)]
network_def: {_target_: mri_attention.networks.nets.Interpolation}
initialize:
- $monai.utils.set_determinism(seed=0)
run: []
"""
OVERLAY = """loss: {_target_: mri_attention.losses.GradientLoss}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle that can be exported."""
    folder = tmp_path / "source" / "marker"
    for part in ("configs", "docs", "models"):
        (folder / part).mkdir(parents=True)
    metadata = {"version": "0.2.0", "required_packages_version": {"nibabel": "5.0.0"}}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (folder / "configs" / "inference.yaml").write_text(INFERENCE)
    (folder / "configs" / "loss.yaml").write_text(OVERLAY)
    page = "# Marker\n![A picture](../../pictures/a.png)\n[Grids](../../../docs/a.md#b) and [here](b.md)\n"
    (folder / "docs" / "README.md").write_text(page)
    (folder / "docs" / "data_license.txt").write_text("CC0")
    (folder.parent / "pictures").mkdir()
    (folder.parent / "pictures" / "a.png").write_bytes(b"png")
    (folder / "LICENSE").write_text("Apache-2.0")
    torch.save({"model": {"weight": torch.ones(2)}}, folder / "models" / "model.pt")
    return folder


def test_configs_name_the_exported_code_and_find_it_first(bundle: Path) -> None:
    texts = exported_configs(bundle)
    assert texts["configs/inference.yaml"] == (
        "# Mark voxels.\nimports:\n- $import torch\nbundle_root: .\n"
        "find_cases: {_target_: scripts.datasets.find_cases, _mode_: callable}\n"
        "cases: $@find_cases(@bundle_root, ['T1w'])  # all\nnames: $[f.__name__ for f in (@find_cases, len)]\n"
        "network_def: {_target_: scripts.networks.nets.Interpolation}\n"
        "initialize:\n- $import sys\n"
        "- $sys.path.insert(0, @bundle_root)  # of the package scripts; MONAI adds it later\n"
        "- $monai.utils.set_determinism(seed=0)\nrun: []\n"
    )
    assert texts["configs/loss.yaml"] == "loss: {_target_: scripts.losses.GradientLoss}\n"


@pytest.mark.parametrize("steps", ["[]", '["$monai.utils.set_determinism(seed=0)"]', "\n- $print('a')"])
def test_code_is_found_whatever_the_list_of_first_steps_looks_like(steps: str, bundle: Path) -> None:
    (bundle / "configs" / "loss.yaml").write_text(f"initialize: {steps}".replace(": \n", ":\n"))
    given = yaml.safe_load((bundle / "configs" / "loss.yaml").read_text())["initialize"]
    exported = yaml.safe_load(exported_configs(bundle)["configs/loss.yaml"])["initialize"]
    assert exported == ["$import sys", "$sys.path.insert(0, @bundle_root)", *given]


def test_code_is_found_by_a_config_in_json(bundle: Path) -> None:
    (bundle / "configs" / "loss.json").write_text(json.dumps({"initialize": ["$print('a')"]}))
    exported = json.loads(exported_configs(bundle)["configs/loss.json"])
    assert exported == {"initialize": ["$import sys", "$sys.path.insert(0, @bundle_root)", "$print('a')"]}


def test_first_steps_that_are_no_list_are_refused(bundle: Path) -> None:
    (bundle / "configs" / "loss.yaml").write_text("initialize: $print('a')\n")
    with pytest.raises(InputError, match=r"loss\.yaml initialize: is no list of steps.*a step a line"):
        exported_configs(bundle)


@pytest.mark.parametrize(
    "line",
    [
        "imports: [$import mri_attention.datasets]",
        "imports:\n- $from mri_attention.datasets import find_cases",
        "loss: $mri_attention.losses.GradientLoss()",
    ],
)
def test_expressions_that_name_the_package_are_refused(line: str, bundle: Path) -> None:
    (bundle / "configs" / "loss.yaml").write_text(line)
    with pytest.raises(InputError, match=r"loss\.yaml \w.*: names mri_attention in an expression.*write {_target_: "):
        exported_configs(bundle)


def test_exported_folder_is_complete(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "marker"
    folder.mkdir()
    write_bundle(bundle, folder)
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert files >= {
        *("LICENSE", "models/model.pt", "docs/README.md", "docs/data_license.txt", "docs/a.png"),
        *("scripts/__init__.py", "scripts/networks/nets/interpolation.py", "scripts/losses/gradient.py"),
    }
    page = (folder / "docs" / "README.md").read_text()
    assert "![A picture](a.png)\nGrids (`docs/a.md` of MRI Attention) and [here](b.md)\n" in page
    assert not [p for p in folder.rglob("*.py") if re.search(r"^\s*(from|import) mri_attention", p.read_text(), re.M)]


def test_metadata_tell_packages_and_hashes(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "marker"
    folder.mkdir()
    write_bundle(bundle, folder)
    metadata = json.loads((folder / "configs" / "metadata.json").read_text())
    assert metadata["required_packages_version"]["nibabel"] == "5.0.0"
    assert {"fire", "PyYAML", "pytorch-ignite"} <= set(metadata["required_packages_version"])
    assert {"torch", "monai", "numpy"}.isdisjoint(metadata["required_packages_version"])
    for name, digest in metadata["weights_sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_safetensors_hold_the_same_weights(bundle: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = tmp_path / "marker"
    folder.mkdir()
    write_bundle(bundle, folder)
    assert load_file(folder / "models" / "model.safetensors")["weight"].tolist() == [1.0, 1.0]


def test_versions_are_exact_and_of_what_this_project_asks_for() -> None:
    versions = exact_versions(["itk", "scipy"])
    assert set(versions) == {"itk-io", "scipy"}
    assert all(re.fullmatch(r"[\d.]+", version) for version in versions.values())


def test_all_packages_are_in_one_list_without_doubles(bundle: Path, tmp_path: Path) -> None:
    metadata = {"version": "0.2.0", "optional_packages_version": {"pyyaml": "6.0"}}
    (bundle / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (bundle / "docs" / "README.md").write_text("python -m monai.bundle run --tracking mlflow")
    folder = tmp_path / "marker"
    folder.mkdir()
    write_bundle(bundle, folder)
    told = json.loads((folder / "configs" / "metadata.json").read_text())
    assert "optional_packages_version" not in told
    packages = told["required_packages_version"]
    assert packages["pyyaml"] == "6.0"
    assert {"PyYAML", "PyYaml"}.isdisjoint(packages)
    assert "mlflow" in packages


def test_versions_of_an_installation_are_those_of_the_checkout() -> None:
    constraints = (Path(__file__).parents[2] / "constraints.txt").read_text()
    assert ZOO_VERSIONS.read_text().splitlines() == zoo_versions(constraints)
    assert exact_versions(["skimage"]) == {"scikit-image": "0.25.2"}


def test_same_bundle_gives_the_same_archive(run_command: Run, bundle: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert run_command("export", bundle, "--output", tmp_path / name) == 0
        for file in bundle.rglob("*"):
            os.utime(file, (1e9, 1e9))
    first, second = (tmp_path / name / "marker_v0.2.0.zip" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    digest = hashlib.sha256(first.read_bytes()).hexdigest()
    assert first.with_name("marker_v0.2.0.zip.sha256").read_text() == f"{digest}  marker_v0.2.0.zip\n"
    assert {name.split("/")[0] for name in zipfile.ZipFile(first).namelist()} == {"marker"}


@pytest.mark.parametrize("there", ["marker/file", "marker_v0.2.0.zip", "marker_v0.2.0.zip.sha256"])
def test_existing_output_is_refused(
    there: str, run_command: Run, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "output"
    (output / there).parent.mkdir(parents=True)
    (output / there).touch()
    assert run_command("export", bundle, "--output", output) == 2
    assert "choose another output folder" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["models/model.pt", "LICENSE", "docs/README.md", "../pictures/a.png"])
def test_nothing_is_written_if_something_is_missing(
    missing: str, run_command: Run, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / missing).unlink()
    assert run_command("export", bundle, "--output", tmp_path / "output") == 2
    assert f"{Path(missing).name}: not there" in capsys.readouterr().err
    assert not (tmp_path / "output").exists()
    assert not list(tmp_path.glob(".mri-attention-*"))


def shippable() -> list[Path]:
    return sorted(p.parents[1] for p in BUNDLES.glob("*/models/model.pt"))


@pytest.mark.slow
@pytest.mark.parametrize("source", shippable(), ids=lambda p: p.name)
def test_exported_bundle_passes_the_checks(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / source.name
    folder.mkdir()
    write_bundle(source, folder)
    outcomes = dict(check_bundle(folder, trust=True))
    assert {name: o.reason for name, o in outcomes.items() if o.status == "FAIL"} == {}
    assert outcomes["weights' SHA-256"].status == "PASS"


ALONE = (
    WITHOUT_PROJECT
    + """
from monai.bundle import ConfigWorkflow

ROOT, OTHER, DATA, OUTPUT = sys.argv[1:]
TINY = {"network_def::network::channels": [8, 16, 24], "spacing": [4.0, 4.0, 4.0], "patch": [24, 24, 24]}
SHORT = {"epochs": 1, "steps": 1, "val_interval": 1, "progress": False, "validation_share": 0.5}


def run(kind, root, names, **settings):
    files = [f"{root}/configs/{name}.yaml" for name in names]
    workflow = ConfigWorkflow(files, workflow_type=kind, logging_file=False, bundle_root=root, **settings)
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    return workflow


paths = {"dataset_dir": DATA, "output_dir": OUTPUT}
run("train", ROOT, ["train"], **paths, **TINY, **SHORT)
run("infer", ROOT, ["inference", "evaluate"], **paths, **TINY, model_file=f"{OUTPUT}/models/model.pt")
code = sys.modules["scripts"].__file__
assert code.startswith(ROOT), code

for name in [n for n in sys.modules if n.partition(".")[0] == "scripts"]:
    del sys.modules[name]
other = run("infer", OTHER, ["inference"])
assert type(other.parser.get_parsed_content("network_def")).__name__ == "Interpolation"
assert sys.modules["scripts"].__file__.startswith(OTHER), sys.modules["scripts"]
"""
)


@pytest.mark.slow
def test_exported_bundles_run_without_this_package_one_after_the_other(
    run_command: Run, bundle: Path, tmp_path: Path
) -> None:
    simulate_dataset(tmp_path / "cohort", n_subjects=2, seed=1, spacing=4.0)
    (bundle / "configs" / "inference.yaml").write_text(INFERENCE.replace("run: []", "run:\n- $@names"))
    sources = (BUNDLES / "ms_lesion_segmentation_fanet", bundle)
    for source in sources:
        assert run_command("export", source, "--output", tmp_path / "exported") == 0
    roots = [str(tmp_path / "exported" / source.name) for source in sources]
    (tmp_path / "elsewhere").mkdir()
    arguments = [*roots, str(tmp_path / "cohort"), str(tmp_path / "results")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *arguments],
        cwd=tmp_path / "elsewhere",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "results" / "models" / "model.pt").is_file()
    assert list((tmp_path / "results").rglob("*_label-lesion_mask.nii.gz"))

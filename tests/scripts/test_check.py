"""Tests of scripts.check and of each check: a small bundle passes, and every planted fault is found."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from mri_attention.scripts.checks.all_checks import READING, RUNNING
from mri_attention.scripts.checks.outcome import Outcome
from mri_attention.scripts.running.built_bundle import BuiltBundle
from mri_attention.scripts.running.bundle import code_of

Run = Callable[..., int]
Break = Callable[[Path], Any]

CONV = {"_target_": "torch.nn.Conv3d", "in_channels": 1, "out_channels": 2, "kernel_size": 1}
INFERENCE = {
    "imports": ["$from pathlib import Path"],
    "bundle_root": ".",
    "dataset_dir": "$@bundle_root + '/data'",
    "output_dir": "$@bundle_root + '/eval'",
    "device": "$torch.device('cpu')",
    "spacing": [1.0, 1.0, 1.0],
    "network_def": CONV,
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": "@spacing", "mode": "bilinear"},
        ],
    },
    "dataset": {"_target_": "Dataset", "data": "$sorted(Path(@dataset_dir).glob('*'))", "transform": "@preprocessing"},
    "inferer": {"_target_": "SimpleInferer"},
    "evaluator": {"_target_": "SupervisedEvaluator", "device": "@device", "network": "@network_def"},
    "run": ["$@evaluator.run()"],
}
TRAIN = {
    **{name: INFERENCE[name] for name in ("bundle_root", "dataset_dir", "device", "spacing", "network_def")},
    "train": {
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": "Spacingd", "keys": ["image", "label"], "pixdim": "@spacing"}],
        },
        "dataset": {"_target_": "Dataset", "data": [], "transform": "@train::preprocessing"},
        "inferer": {"_target_": "SimpleInferer"},
        "trainer": {"_target_": "SupervisedTrainer", "max_epochs": 1, "network": "@network_def"},
    },
    "run": ["$@train::trainer.run()"],
}
TENSOR = {
    "type": "image",
    "format": "magnitude",
    "spatial_shape": ["4*n", "4*n", 32],
    "dtype": "float32",
    "num_channels": 1,
    "value_range": [0, 1],
}
METADATA = {
    **dict.fromkeys(("schema", "task", "description", "authors", "copyright"), "text"),
    "version": "0.0.1",
    "changelog": {"0.0.1": "first"},
    "required_packages_version": {"nibabel": "5.4.2"},
    "monai_version": "1.6.1",
    "pytorch_version": "2.13.0",
    "numpy_version": "2.2.6",
    "network_data_format": {"inputs": {"image": TENSOR}, "outputs": {"pred": TENSOR | {"num_channels": 2}}},
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle without a fault."""
    folder = tmp_path / "sound"
    for part in ("configs/networks", "docs", "models"):
        (folder / part).mkdir(parents=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(METADATA))
    (folder / "configs" / "inference.yaml").write_text(yaml.safe_dump(INFERENCE))
    (folder / "configs" / "train.yaml").write_text(yaml.safe_dump(TRAIN))
    (folder / "configs" / "networks" / "wide.yaml").write_text(yaml.safe_dump({"network_def": CONV}))
    (folder / "LICENSE").write_text("Apache-2.0")
    (folder / "docs" / "README.md").write_text("# Sound")
    torch.save(torch.nn.Conv3d(1, 2, 1).state_dict(), folder / "models" / "model.pt")
    return folder


def outcome(name: str, folder: Path) -> Outcome:
    if name in READING:
        return READING[name](folder)
    with code_of(folder):
        return RUNNING[name](BuiltBundle(folder))


@pytest.mark.parametrize("name", [*READING, *RUNNING])
def test_sound_bundle_has_no_fault(name: str, bundle: Path) -> None:
    without = {"weights' SHA-256", "ONNX"}
    assert outcome(name, bundle).status in (("PASS", "SKIP") if name in without else ("PASS",))


def edit(file: str, **changes: Any) -> Break:
    """Return what sets values, by ids joined by ``__``, in a config or the metadata; None removes one."""

    def apply(folder: Path) -> None:
        path = folder / "configs" / file
        content = yaml.safe_load(path.read_text())
        for name, value in changes.items():
            *parents, last = name.split("__")
            inner = content
            for parent in parents:
                inner = inner[parent]
            if value is None:
                del inner[last]
            else:
                inner[last] = value
        path.write_text(json.dumps(content) if file.endswith(".json") else yaml.safe_dump(content))

    return apply


def write(file: str, text: str) -> Break:
    def apply(folder: Path) -> None:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)

    return apply


def save(state: Any) -> Break:
    return lambda folder: torch.save(state, folder / "models" / "model.pt")


def use_own_network(code: str) -> Break:
    """Return what puts a network of the bundle's own code in place of the convolution."""

    def apply(folder: Path) -> None:
        write("scripts/__init__.py", "")(folder)
        write("scripts/net.py", f"import torch\n\n\nclass Net(torch.nn.Module):\n{code}")(folder)
        edit("inference.yaml", network_def={"_target_": "scripts.net.Net"})(folder)
        (folder / "models" / "model.pt").unlink()

    return apply


class Malicious:
    """Would run a program when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("true",)


WEIGHTS = torch.nn.Conv3d(1, 2, 1).state_dict()
NOISY = "    def forward(self, x):\n        return torch.cat([x, torch.rand_like(x)], 1)\n"
OTHER_SPACING = {"_target_": "Spacingd", "keys": "image", "pixdim": [3.0]}
BRANCHING = "    def forward(self, *x):\n        return torch.cat([x[0], x[0] if x[0].max() > 0.6 else 2 * x[0]], 1)\n"
NOT_SCRIPTABLE = "    def forward(self, x, **more):\n        return torch.cat([x, x], 1)\n"
OTHERWISE = (
    "    def forward(self, x):\n        return torch.cat([x, x * (2 if torch.compiler.is_exporting() else 1)], 1)\n"
)
FAULTS: list[tuple[str, Break, str]] = [
    ("required files", lambda folder: (folder / "LICENSE").unlink(), "missing: LICENSE"),
    ("required files", lambda folder: (folder / "models" / "model.pt").unlink(), "model.pt"),
    ("metadata", edit("metadata.json", task=None), "'task' is a required property"),
    ("metadata", edit("metadata.json", references="a paper"), "references: 'a paper' is not of type 'array'"),
    ("metadata", edit("metadata.json", network_data_format__inputs__image__dtype=None), "inputs.image: 'dtype'"),
    ("metadata", write("configs/metadata.json", "{"), "metadata.json: cannot be read"),
    ("changelog", edit("metadata.json", version="0.0.2"), "no line for version 0.0.2, only for 0.0.1"),
    ("package versions", edit("metadata.json", monai_version=">=1.6"), "monai_version >=1.6"),
    ("weights' SHA-256", edit("metadata.json", weights_sha256={"models/model.pt": "0"}), "models/model.pt"),
    ("security: expressions", edit("inference.yaml", device="$__import__('os')"), "device: uses __import__"),
    ("security: expressions", edit("inference.yaml", inferer={"_target_": "os.system"}), "inferer::_target_"),
    ("security: expressions", edit("train.yaml", device="$torch.hub.load('a', 'b')"), "reaches hub"),
    ("security: weights", save({"a": Malicious()}), "models/model.pt would call"),
    ("security: weights", write("models/model.pkl", ""), "models/model.pkl is a pickle"),
    ("security: weights", write("models/model.pt", "<html>"), "cannot be read as weights"),
    ("security: network", edit("train.yaml", dataset_dir="https://a.org/b"), "train.yaml dataset_dir: https://a.org/b"),
    ("security: network", edit("train.yaml", dataset_dir="$@bundle_root + 'https://a.org'"), "https://a.org"),
    ("configs", edit("inference.yaml", inferer="@nothing"), "inference.yaml: @nothing is not there"),
    ("configs", edit("inference.yaml", inferer={"_target_": "NoInferer"}), "no NoInferer"),
    ("configs", edit("inference.yaml", device="$pathlib.Path('x')"), "uses the unknown name pathlib"),
    ("configs", edit("inference.yaml", imports=["$from pathlib import Pat"]), "import of pathlib.Pat fails"),
    ("configs", edit("inference.yaml", inferer="%nothing"), "cannot be merged"),
    ("configs", write("configs/paper.yaml", "train::trainer::epochs::x: 1"), "configs/paper.yaml: cannot be merged"),
    ("configs", write("configs/paper.yaml", "a: [1"), "configs/paper.yaml: cannot be merged (while parsing"),
    ("weights", save({"weight": WEIGHTS["weight"]}), "bias is missing"),
    ("weights", save(WEIGHTS | {"more": torch.zeros(1)}), "more is not of the network"),
    ("weights", save(WEIGHTS | {"bias": torch.zeros(3)}), "bias is (3,), not (2,)"),
    ("weights", save(WEIGHTS | {"bias": torch.full((2,), torch.nan)}), "bias is not finite"),
    ("weights", lambda folder: (folder / "models" / "model.pt").unlink(), "no models/model.pt"),
    ("network overlays", write("configs/networks/w.yaml", "network_def::wide: 1"), "w.yaml"),
    ("verify_net_in_out", edit("metadata.json", network_data_format__outputs__pred__num_channels=3), "doesn't match"),
    ("output", edit("metadata.json", network_data_format__outputs__pred__spatial_shape=["n"] * 3), "(1, 2, 8, 8, 8)"),
    ("output", edit("metadata.json", network_data_format__outputs__pred__dtype="float16"), "tell float16"),
    ("TorchScript", use_own_network(BRANCHING), "traced"),
    ("torch.export", use_own_network(OTHERWISE), "torch.export"),
]


@pytest.mark.parametrize(("name", "spoil", "reason"), FAULTS, ids=[f"{n}-{r[-24:]}" for n, _, r in FAULTS])
def test_planted_fault_is_found(name: str, spoil: Break, reason: str, bundle: Path) -> None:
    spoil(bundle)
    try:
        found = outcome(name, bundle)
    except Exception as error:  # the report tells these as failures, see test_errors_become_failures
        found = Outcome("FAIL", f"{type(error).__name__}: {error}")
    assert found.status == "FAIL"
    assert reason in found.reason


def older_metadata(folder: Path) -> None:
    """Name the packages as bundles did before MONAI renamed the list."""
    edit("metadata.json", required_packages_version=None, optional_packages_version={"nibabel": "5.4.2"})(folder)


DOUBTS: list[tuple[str, Break, str]] = [
    ("paths", edit("inference.yaml", bundle_root="/data/mine"), "bundle_root: /data/mine"),
    ("paths", edit("inference.yaml", dataset_dir="$Path('/data/mine')"), "dataset_dir: /data/mine"),
    ("paths", write("docs/README.md", "cd /home/ada/bundle"), "docs/README.md: /home/ada"),
    ("required ids", edit("inference.yaml", dataset=None), "inference.yaml: dataset"),
    ("required ids", edit("train.yaml", train__inferer=None), "train.yaml: train_inferer"),
    ("train and inference", edit("train.yaml", spacing=[2.0, 2.0, 2.0]), "differ in spacing"),
    ("train and inference", edit("train.yaml", network_def__bias=False), "differ in network_def"),
    ("determinism", use_own_network(NOISY), "outputs differ by up to"),
    ("required files", lambda folder: (folder / "docs" / "README.md").unlink(), "README.md is missing"),
    ("metadata", older_metadata, "optional_packages_version is called required_packages_version now"),
    (
        "metadata",
        edit("metadata.json", schema="a/meta_schema_20220324.json", task=None),
        "newer than its own: $: 'task'",
    ),
    ("package versions", edit("metadata.json", required_packages_version={"nibabel": ">=5"}), "nibabel >=5"),
    ("security: weights", save({"arch": np.ones(2)}), "torch.load(weights_only=True) refuses"),
    ("configs", edit("inference.yaml", inferer={"_target_": "not_installed_here.A"}), "not_installed_here"),
    ("configs", write("configs/inference_trt.json", '{"+imports": ["$import torch_tensorrt"]}'), "torch_tensorrt"),
    ("TorchScript", use_own_network(NOT_SCRIPTABLE), "cannot be scripted, as the model zoo does it"),
    ("security: expressions", edit("train.yaml", device="$torch.load('x')"), "without weights_only"),
    ("security: code", write("scripts/a.py", "import subprocess"), "scripts/a.py uses subprocess"),
    ("train and inference", edit("train.yaml", train__preprocessing__transforms=[OTHER_SPACING]), "Spacingd"),
    ("required files", write("docs/large.bin", " " * (26 * 2**20)), "docs/large.bin is larger"),
]


def test_every_check_has_something_to_find() -> None:
    with_a_test_of_its_own = {"ONNX"}
    assert {name for name, _, _ in FAULTS + DOUBTS} | with_a_test_of_its_own == set(READING) | set(RUNNING)


@pytest.mark.parametrize(("name", "spoil", "reason"), DOUBTS)
def test_doubts_are_warnings(name: str, spoil: Break, reason: str, bundle: Path) -> None:
    spoil(bundle)
    found = outcome(name, bundle)
    assert found.status == "WARN"
    assert reason in found.reason


@pytest.mark.skipif(not find_spec("onnxruntime") or not find_spec("onnxscript"), reason="needs onnxruntime, onnxscript")
def test_onnx_agrees_with_eager_mode(bundle: Path) -> None:
    assert outcome("ONNX", bundle).status == "PASS"
    use_own_network(OTHERWISE)(bundle)
    found = outcome("ONNX", bundle)
    assert found.status == "FAIL"
    assert "differs from eager mode" in found.reason


def test_all_faults_of_one_bundle_are_told(run_command: Run, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle of the zoo's kind with a fault for each check that can fail beside the others."""
    for file, changes in {
        "metadata.json": {
            "version": "0.0.2",
            "task": None,
            "monai_version": ">=1.6",
            "weights_sha256": {"LICENSE": "0"},
        },
        "inference.yaml": {
            "dataset": None,
            "inferer": "@nothing",
            "device": "$__import__('os')",
            "bundle_root": "/data/mine",
        },
        "train.yaml": {"spacing": [2.0, 2.0, 2.0], "dataset_dir": "https://a.org/b"},
    }.items():
        edit(file, **changes)(bundle)
    save(WEIGHTS | {"more": torch.zeros(1)})(bundle)
    write("configs/networks/w.yaml", "network_def::wide: 1")(bundle)
    write("models/other.pkl", "")(bundle)
    (bundle / "LICENSE").unlink()
    assert run_command("check", bundle, "--trust") == 1
    failures = {
        line.split(":")[0].removeprefix("FAIL  ") for line in capsys.readouterr().out.splitlines() if "FAIL" in line
    }
    assert failures >= {
        *("required files", "metadata", "changelog", "package versions", "weights' SHA-256", "security"),
        *("configs", "weights", "network overlays"),
    }


def test_exit_code_tells_whether_anything_failed(
    run_command: Run, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "reports" / "report.json"
    assert run_command("check", bundle, "--json", report, "--verbose") == 0
    told = capsys.readouterr().out
    assert "0 FAIL" in told
    assert "$torch.device('cpu')" in told
    content = json.loads(report.read_text())
    assert [check["check"] for check in content["checks"]] == [*READING, *RUNNING]
    assert {"torch.nn.Conv3d", "$@evaluator.run()"} <= {finding["text"] for finding in content["expressions"]}
    (bundle / "LICENSE").unlink()
    assert run_command("check", bundle) == 1
    assert "FAIL  required files: missing: LICENSE" in capsys.readouterr().out


def test_errors_become_failures(run_command: Run, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / "configs" / "metadata.json").write_text("{")
    assert run_command("check", bundle) == 1
    assert "metadata.json: cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize("spoil", [edit("train.yaml", device="$exec('1')"), write("scripts/a.py", "")])
def test_suspicious_bundles_are_read_but_not_run(
    spoil: Break, run_command: Run, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(bundle)
    run_command("check", bundle)
    assert "SKIP  determinism: not run" in capsys.readouterr().out
    run_command("check", bundle, "--trust")
    assert "PASS  determinism" in capsys.readouterr().out


def test_checks_an_archive(run_command: Run, bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "sound.zip", "w") as archive:
        for file in bundle.rglob("*"):
            archive.write(file, file.relative_to(tmp_path))
    assert run_command("check", tmp_path / "sound.zip") == 0


@pytest.mark.parametrize("given", ["nothing", "nothing.zip", "damaged.zip", "empty.zip"])
def test_what_is_no_bundle_is_refused(
    given: str, run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged.zip").write_text("no archive")
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    assert run_command("check", tmp_path / given) == 2
    assert given in capsys.readouterr().err

"""Tests of ``export --onnx`` and ``predict --runtime onnx``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
import yaml

from mri_attention.datasets import InputError
from mri_attention.scripts.exports import onnx_export, runtimes
from mri_attention.scripts.exports.onnx_export import write_onnx
from mri_attention.scripts.exports.runtimes import TOLERANCE
from mri_attention.scripts.running.built_bundle import BuiltBundle, tensor_of
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.scripts.running.onnx_network import OnnxNetwork
from mri_attention.simulation.cohort import simulate_dataset
from tests.scripts.conftest import lesion_mask, threshold_weights

Run = Callable[..., int]

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, onnx_export.PACKAGES)), reason="needs the packages of mri-attention[share]"
)
FREE = {
    "brain_super_resolution_cftn": "any batch",
    "guided_reconstruction_manet": "any size",
    "guided_super_resolution_sanet": "any size",
    "ms_lesion_segmentation_fanet": "any size",
    "qsm_reconstruction_fanet": "any size",
}
"""What may vary in each bundle's network; CFTN's patches and splines are made for one size."""

FLOAT32 = {"guided_reconstruction_manet": "half_precision", "brain_super_resolution_cftn": "enabled"}
"""Options of the inferers that are to be false."""


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """The tiny bundle, complete enough to be exported."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_bundle, folder)
    (folder / "docs").mkdir()
    (folder / "docs" / "README.md").write_text("# Tiny")
    (folder / "LICENSE").write_text("Apache-2.0")
    tensor = {"num_channels": 3, "spatial_shape": ["n", "n", "n"], "dtype": "float32"}
    metadata = {"version": "0.0.1", "network_data_format": {"inputs": {"image": tensor}}}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    return folder


@pytest.fixture
def exported(run_command: Run, bundle: Path, tmp_path: Path) -> Path:
    assert run_command("export", bundle, "--output", tmp_path / "shared", "--onnx") == 0
    return tmp_path / "shared" / "tiny"


def predict(run_command: Run, bundle: Path, dataset: Path, output: Path, *options: object) -> int:
    return run_command("predict", bundle, "--dataset-dir", dataset, "--output-dir", output, *options)


@needs_onnx
def test_onnxruntime_predicts_what_torch_does(
    run_command: Run, exported: Path, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    torch.save(threshold_weights(99.0), exported / "models" / "model.pt")  # which would find nothing
    file = exported / "models" / "model.onnx"
    assert predict(run_command, exported, tiny_dataset, tmp_path / "one", "--runtime", "onnx") == 0
    assert predict(run_command, bundle, tiny_dataset, tmp_path / "two", "--runtime", "onnx", "--model", file) == 0
    for output in (tmp_path / "one", tmp_path / "two"):
        found = nib.load(output / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz")
        np.testing.assert_array_equal(np.asarray(found.dataobj), lesion_mask())


@needs_onnx
def test_the_file_tells_what_it_was_made_of(exported: Path) -> None:
    about = OnnxNetwork(exported / "models" / "model.onnx").about
    hashes = json.loads((exported / "configs" / "metadata.json").read_text())["weights_sha256"]
    assert about["weights_sha256"] == hashes["models/model.pt"]
    assert about["network"]["kernel_size"] == 1
    assert "models/model.onnx" in hashes


@needs_onnx
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes() + b"\0"), "not the weights that were shipped"),
        (lambda file: file.unlink(), "no such ONNX file; write it by mri-attention export BUNDLE --onnx"),
    ],
    ids=["other", "missing"],
)
def test_onnx_files_that_were_not_shipped_are_refused(
    spoil: Callable[[Path], object],
    message: str,
    run_command: Run,
    exported: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(exported / "models" / "model.onnx")
    assert predict(run_command, exported, tiny_dataset, tmp_path / "out", "--runtime", "onnx") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@needs_onnx
def test_onnx_of_another_network_is_refused(
    run_command: Run, exported: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"network_def": {"_target_": "torch.nn.Conv3d", "in_channels": 3, "out_channels": 2, "kernel_size": 3}}
    (exported / "configs" / "wide.yaml").write_text(yaml.safe_dump(other))
    options = ("--runtime", "onnx", "--overlay", "wide")
    assert predict(run_command, exported, tiny_dataset, tmp_path / "out", *options) == 2
    assert "was written of another network (kernel_size: 1, not 3)" in capsys.readouterr().err


@needs_onnx
def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("<html>")
    with pytest.raises(InputError, match="cannot be read as ONNX"):
        OnnxNetwork(tmp_path / "model.onnx")


def test_unknown_runtimes_are_refused(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(run_command, tiny_bundle, tiny_dataset, tmp_path / "out", "--runtime", "tpu") == 2
    assert "--runtime tpu: no such runtime; choose among torch, onnx" in capsys.readouterr().err


@pytest.mark.parametrize("is_missing", [True, False])
def test_export_tells_why_there_is_no_onnx(
    is_missing: bool,
    run_command: Run,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if is_missing:
        monkeypatch.setattr(onnx_export, "find_spec", lambda name: None)
    else:
        monkeypatch.setattr(onnx_export, "missing_packages", list)
        monkeypatch.setattr(onnx_export, "_export", lambda *_: torch.ones(2) @ torch.ones(3))
    assert run_command("export", bundle, "--output", tmp_path / "out", "--onnx") == 2
    told = capsys.readouterr().err
    assert ("pip install 'mri-attention[share]'" if is_missing else "leave --onnx out") in told
    assert not (tmp_path / "out").exists()


@needs_onnx
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["guided_reconstruction_manet", "brain_super_resolution_cftn"])
def test_shipped_networks_predict_the_same(name: str, run_command: Run, tmp_path: Path) -> None:
    """Within slices of k-space, and within tiles, in float32."""
    simulate_dataset(tmp_path / "cohort", n_subjects=1, seed=1, spacing=4.5)
    assert run_command("export", name, "--output", tmp_path / "shared", "--onnx") == 0
    images = []
    for runtime in ("torch", "onnx"):
        options = ("--runtime", runtime, "--", f"--inferer::{FLOAT32[name]}", "False")
        assert predict(run_command, tmp_path / "shared" / name, tmp_path / "cohort", tmp_path / runtime, *options) == 0
        (file,) = (tmp_path / runtime).rglob("*_rec-*.nii.gz")
        images.append(np.asarray(nib.load(file).dataobj))
    np.testing.assert_allclose(images[1], images[0], rtol=0, atol=TOLERANCE * images[0].max())


@needs_onnx
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FREE)
def test_network_gives_the_same_in_onnxruntime_and_torch_export(name: str, tmp_path: Path) -> None:
    bundle = BuiltBundle(BUNDLES / name)
    written = write_onnx(bundle, tmp_path / "model.onnx")
    assert written.form == FREE[name]
    assert written.difference <= TOLERANCE
    inputs = bundle.unseen()
    with torch.no_grad():
        eager = tensor_of(bundle.network(*inputs))
        found = runtimes.exported(bundle)(*inputs)
    torch.testing.assert_close(found, eager, rtol=TOLERANCE, atol=TOLERANCE * float(eager.abs().max()))

"""All bundles in MONAI Label's stock app: a real server, asked over HTTP.

It needs the environments that ``scripts/quickstart`` and ``scripts/monailabel --install`` make.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import requests
import torch
from monai.bundle import ConfigWorkflow

from mri_attention.operators import image_to_kspace
from mri_attention.scripts.exports.exported_bundle import write_bundle
from mri_attention.scripts.exports.monailabel_app import adapt_to_app
from mri_attention.scripts.running.bundle import BUNDLES
from mri_attention.simulation.cohort import simulate_dataset
from mri_attention.simulation.coils import wire_sensitivities

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {
    "brain_super_resolution_cftn": "T1w",
    "guided_reconstruction_manet": "T2w",
    "guided_super_resolution_sanet": "T2w",
    "ms_lesion_segmentation_fanet": "FLAIR",
    "qsm_reconstruction_fanet": "localfield",
}
"""What each bundle is given; it finds the rest beside it."""

CONTRASTS = {
    "brain_super_resolution_cftn": ["T1w"],
    "guided_reconstruction_manet": ["T1w", "T2w"],
    "guided_super_resolution_sanet": ["T2w", "T1w"],
    "ms_lesion_segmentation_fanet": ["T1w", "T2w", "FLAIR"],
    "qsm_reconstruction_fanet": ["localfield"],
}
RESULT = {
    "brain_super_resolution_cftn": "rec-cftn_T1w",
    "guided_reconstruction_manet": "rec-manet_T2w",
    "guided_super_resolution_sanet": "rec-sanet_T2w",
    "ms_lesion_segmentation_fanet": "label-lesion_mask",
    "qsm_reconstruction_fanet": "Chimap",
}
TRAINED, EXPORTED = "ms_lesion_segmentation_fanet", "qsm_reconstruction_fanet"
SHORT = {"steps": 1, "subjects": 1, "patch": [32, 32, 32]}
"""Of a training, in the app's copy of its config."""

N_VOXELS = 22  # along each axis of the crop around the lesions, 3 mm each
START, INFERENCE, TRAINING = 3600, 3600, 7200  # seconds at most

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3 * 3600),
    pytest.mark.skipif(
        not (ROOT / ".venv-monailabel" / "installed").is_file(),
        reason="no environment of MONAI Label: scripts/monailabel --install makes it",
    ),
    pytest.mark.skipif(
        not (ROOT / ".venv" / "bin" / "mri-attention").is_file(), reason="no .venv: scripts/quickstart makes it"
    ),
]


@dataclass
class Server:
    """A running server and the folder that its app is in."""

    url: str
    work: Path
    studies: Path

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return requests.get(f"{self.url}/{path}", params=parameters, timeout=60)

    def infer(self, bundle: str, image: str, output: str, **options: Any) -> requests.Response:
        return requests.post(
            f"{self.url}/infer/{bundle}",
            params={"image": image, "output": output},
            data={"params": json.dumps(options)},
            timeout=INFERENCE,
        )

    def image(self, bundle: str, image: str, **options: Any) -> nib.Nifti1Image:
        response = self.infer(bundle, image, "image", **options)
        assert response.status_code == 200, response.text
        return nib.Nifti1Image.from_bytes(gzip.decompress(response.content))


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated heads, cropped around their lesions to keep inference short."""
    whole, folder = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("studies")
    simulate_dataset(whole, n_subjects=2, seed=1, spacing=3.0, susceptibility=True)
    for mask in whole.glob("derivatives/*/sub-*/anat/*_label-lesion_mask.nii.gz"):
        lesions = np.asarray(nib.load(mask).dataobj) > 0
        start = np.clip(np.argwhere(lesions).mean(0).astype(int) - N_VOXELS // 2, 0, np.array(lesions.shape) - N_VOXELS)
        crop = tuple(slice(i, i + N_VOXELS) for i in start)
        subject = mask.name.partition("_")[0]
        for file in (mask, *whole.glob(f"{subject}/anat/*.nii.gz")):
            target = folder / file.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            nib.save(nib.load(file).slicer[crop], target)
        for file in whole.glob(f"{subject}/anat/*.json"):
            shutil.copy(file, folder / file.relative_to(whole))
    _write_kspace(folder / "sub-001" / "anat")
    return folder


def _write_kspace(anat: Path) -> None:
    """Write every other column of the T2w's k-space and all of the middle, of four coils.

    Its slices lie along z, as those of the T1w.
    """
    image = np.asarray(nib.load(anat / "sub-001_T2w.nii.gz").dataobj, dtype=np.float32)
    coils = wire_sensitivities((N_VOXELS, N_VOXELS), n_coils=4)
    kspace = image_to_kspace(coils * torch.from_numpy(image).permute(2, 1, 0)[:, None]).numpy()
    columns = np.arange(N_VOXELS)
    mask = (columns % 2 == 0) | (abs(columns - N_VOXELS // 2) < 6)
    np.savez(anat / "sub-001_kspace.npz", kspace=(kspace * mask).astype(np.complex64), mask=mask)


@pytest.fixture(scope="module")
def server(studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    work = tmp_path_factory.mktemp("work")
    models = work / "monaibundle" / "model"
    for bundle in set(GIVEN) - {EXPORTED}:  # the script exports that one itself; each export there takes some seconds
        (models / bundle).mkdir(parents=True)
        write_bundle(BUNDLES / bundle, models / bundle)
        adapt_to_app(models / bundle)
        _change(models / bundle / "configs" / "inference.json", {"half_precision": False})  # else timing chooses
    _change(models / TRAINED / "configs" / "train.json", SHORT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Whoever asks the network for something is sent to a port where nobody answers.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = ["bash", ROOT / "scripts" / "monailabel", "--port", str(port), "--work", work, "--studies", studies]
    log = work / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*map(str, command), *GIVEN], env=os.environ | nowhere, stdout=output, stderr=subprocess.STDOUT
        )
    running = Server(f"http://127.0.0.1:{port}", work, studies)
    try:
        _wait_until_up(running, process, log)
        yield running
    finally:
        process.terminate()
        process.wait(60)
    with pytest.raises(requests.ConnectionError):
        running.get("info/")


def _change(config: Path, settings: dict[str, Any]) -> None:
    config.write_text(json.dumps(json.loads(config.read_text()) | settings))


def _wait_until_up(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            if server.get("info/").ok:
                return
        except requests.ConnectionError:
            time.sleep(2)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module", params=sorted(GIVEN))
def pair(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, nib.Nifti1Image, nib.Nifti1Image]:
    """Name of a bundle, what the server made of sub-001, and what the bundle of this repository makes of it."""
    bundle: str = request.param
    served = server.image(bundle, f"sub-001_{GIVEN[bundle]}")
    output, anat = tmp_path_factory.mktemp(bundle), server.studies / "sub-001" / "anat"
    case = {"image": [str(anat / f"sub-001_{name}.nii.gz") for name in CONTRASTS[bundle]]}
    workflow = ConfigWorkflow(
        str(BUNDLES / bundle / "configs" / "inference.yaml"),
        workflow_type="infer",
        logging_file=False,
        bundle_root=str(BUNDLES / bundle),
        output_dir=str(output),
        cases=[case],
        **({} if bundle == EXPORTED else {"half_precision": False}),
    )
    workflow.initialize()
    workflow.run()
    expected = nib.load(output / "sub-001" / "anat" / f"sub-001_{RESULT[bundle]}.nii.gz")
    _log(server, bundle, served, expected)
    return bundle, served, expected


def _log(server: Server, bundle: str, served: nib.Nifti1Image, expected: nib.Nifti1Image) -> None:
    """Write what is compared to ``work/BUNDLE.json``, for a person to read."""
    values, wanted = served.get_fdata(), expected.get_fdata()
    found = {
        "shape": served.shape,
        "shape expected": expected.shape,
        "type": str(served.get_data_dtype()),
        "range": [float(values.min()), float(values.max())],
        "range expected": [float(wanted.min()), float(wanted.max())],
        "nonzero voxels": int(np.count_nonzero(values)),
    }
    if served.shape == expected.shape:
        found["greatest difference of values"] = float(abs(values - wanted).max())
        found["greatest difference of affines"] = float(abs(served.affine - expected.affine).max())
    (server.work / f"{bundle}.json").write_text(json.dumps(found, indent=2) + "\n")


def test_info_tells_the_bundles(server: Server) -> None:
    info = server.get("info/").json()
    assert set(info["models"]) == set(GIVEN)
    for name, model in info["models"].items():
        assert model["version"] == json.loads((BUNDLES / name / "configs" / "metadata.json").read_text())["version"]
    assert info["models"]["ms_lesion_segmentation_fanet"]["labels"] == {"lesion": 1}
    assert TRAINED in info["trainers"]


def test_images_are_those_that_bundles_are_given(server: Server) -> None:
    files = server.get("datastore/", output="all").json()["objects"].values()
    kinds = {file["image"]["info"]["name"].partition("_")[2] for file in files}
    assert kinds == {"FLAIR.nii.gz", "T1w.nii.gz", "T2w.nii.gz", "kspace.npz", "localfield.nii.gz"}


def test_grid_and_affine_are_those_of_the_bundle(pair: tuple[str, nib.Nifti1Image, nib.Nifti1Image]) -> None:
    _, served, expected = pair
    assert served.shape == expected.shape
    np.testing.assert_allclose(served.affine, expected.affine, rtol=0, atol=1e-4)


def test_values_are_those_of_the_bundle(pair: tuple[str, nib.Nifti1Image, nib.Nifti1Image]) -> None:
    bundle, served, expected = pair
    values, wanted = served.get_fdata(), expected.get_fdata()
    assert wanted.any()
    if bundle == TRAINED:
        assert served.get_data_dtype() == np.uint8
        assert (values != wanted).mean() < 1e-3
    else:
        assert served.get_data_dtype() == np.float32
        np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-2 * np.ptp(wanted))  # bfloat16
        assert abs(values - wanted).mean() < 1e-4 * np.ptp(wanted)


def test_probability_that_the_app_writes_is_that_of_the_bundle(
    pair: tuple[str, nib.Nifti1Image, nib.Nifti1Image], server: Server
) -> None:
    if pair[0] != TRAINED:
        pytest.skip("has no probability")
    wanted = Path(pair[2].get_filename()).with_name("sub-001_label-lesion_probseg.nii.gz")
    written = server.work / "monaibundle" / "model" / TRAINED / "eval" / "sub-001" / "anat" / wanted.name
    values = nib.load(wanted).get_fdata()
    assert values.max() > 0.1
    np.testing.assert_allclose(nib.load(written).get_fdata(), values, rtol=0, atol=1e-2)  # bfloat16


def test_super_resolution_is_finer_than_what_was_given(pair: tuple[str, nib.Nifti1Image, nib.Nifti1Image]) -> None:
    bundle, served, _ = pair
    factors = {"brain_super_resolution_cftn": (2, 2, 2), "guided_super_resolution_sanet": (2, 2, 1)}
    assert served.shape == tuple(N_VOXELS * factor for factor in factors.get(bundle, (1, 1, 1)))


def test_reconstructs_from_a_file_of_kspace(server: Server) -> None:
    result = server.image("guided_reconstruction_manet", "sub-001_kspace")
    anat = server.studies / "sub-001" / "anat"
    reference = nib.load(anat / "sub-001_T2w.nii.gz")
    np.testing.assert_allclose(result.affine, reference.affine, rtol=0, atol=1e-4)
    image = reference.get_fdata()
    assert np.linalg.norm(result.get_fdata() - image) < 0.2 * np.linalg.norm(image)


def test_json_names_the_file_and_viewers_get_labels_only(server: Server) -> None:
    """3D Slicer asks for uint8 and nrrd: a susceptibility map would be cut to zeros and ones."""
    asked = {"result_dtype": "uint8", "result_extension": ".nii.gz"}
    bundle = "qsm_reconstruction_fanet"
    assert not server.image(bundle, "sub-001_localfield", **asked).get_fdata().any()
    told = server.infer(bundle, "sub-001_localfield", "json", **asked).json()
    assert nib.load(told["file"]).get_fdata().any()


def test_contrasts_that_are_uploaded_are_found_beside_the_flair(server: Server) -> None:
    """As docs/monai_label.md shows it; a FLAIR alone gives something else."""
    for case, contrasts in {"case": ("T1w", "T2w", "FLAIR"), "alone": ("FLAIR",)}.items():
        for contrast in contrasts:
            content = (server.studies / "sub-001" / "anat" / f"sub-001_{contrast}.nii.gz").read_bytes()
            name = f"{case}_{contrast}"
            files = {"file": (f"{name}.nii.gz", content)}
            sent = requests.put(f"{server.url}/datastore/", params={"image": name}, files=files, timeout=60)
            assert sent.status_code == 200, sent.text
    told = {case: server.infer(TRAINED, f"{case}_FLAIR", "json").json()["file"] for case in ("case", "alone")}
    eval_dir = server.work / "monaibundle" / "model" / TRAINED / "eval"
    found = {case: nib.load(_probability(eval_dir, case)).get_fdata() for case in told}
    alike = server.image(TRAINED, "sub-001_FLAIR").get_fdata()
    np.testing.assert_array_equal(server.image(TRAINED, "case_FLAIR").get_fdata(), alike)
    assert abs(found["case"] - found["alone"]).max() > 0.01


def _probability(folder: Path, case: str) -> Path:
    (file,) = folder.rglob(f"*{case}*_label-lesion_probseg.nii.gz")
    return file


def test_missing_contrast_is_told_to_the_client_and_the_server_goes_on(server: Server) -> None:
    t1w = server.studies / "sub-002" / "anat" / "sub-002_T1w.nii.gz"
    t1w.rename(t1w.with_suffix(".away"))
    try:
        refused = server.infer("guided_super_resolution_sanet", "sub-002_T2w", "image")
        assert refused.status_code == 400
        assert "no T1w image beside it" in refused.json()["detail"]
    finally:
        t1w.with_suffix(".away").rename(t1w)
    assert server.get("info/").ok
    assert "no T1w image beside it" in (server.work / "server.log").read_text(errors="replace")


@pytest.mark.parametrize("val_split", [0.0, 0.5])
def test_training_changes_the_weights_that_the_app_uses(server: Server, val_split: float) -> None:
    for mask in server.studies.glob("derivatives/*/sub-*/anat/*_label-lesion_mask.nii.gz"):
        image = f"{mask.name.partition('_')[0]}_FLAIR"
        files = {"label": ("label.nii.gz", mask.read_bytes())}
        saved = requests.put(f"{server.url}/datastore/label", params={"image": image}, files=files, timeout=60)
        assert saved.status_code == 200, saved.text
    weights = server.work / "monaibundle" / "model" / TRAINED / "models" / "model.pt"
    before = weights.read_bytes()
    request = {"max_epochs": 1, "val_split": val_split, "device": "cpu"}
    started = requests.post(f"{server.url}/train/{TRAINED}", json=request, timeout=60)
    assert started.status_code == 200, started.text
    end = time.monotonic() + TRAINING
    while (status := server.get("train/").json())["status"] in ("SUBMITTED", "RUNNING") and time.monotonic() < end:
        time.sleep(2)
    assert status["status"] == "DONE", status
    assert weights.read_bytes() != before
    state = torch.load(weights, weights_only=True)
    shipped = torch.load(BUNDLES / TRAINED / "models" / "model.pt", weights_only=True)
    assert {name: value.shape for name, value in state.items()} == {name: v.shape for name, v in shipped.items()}
    assert server.infer(TRAINED, "sub-001_FLAIR", "json").status_code == 200

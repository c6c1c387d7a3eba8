"""Tests of datasets.prepare_ixi and datasets.prepare_fastmri, on small files in the layouts of the two."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy import ndimage

from mri_attention.datasets import InputError, Kspace, find_cases, read_volume
from mri_attention.operators import image_to_kspace
from mri_attention.scripts.preparations import fastmri
from mri_attention.scripts.preparations.fastmri import prepare_fastmri
from mri_attention.scripts.preparations.ixi import prepare_ixi
from mri_attention.transforms import load_guided_kspace

AXIAL = np.diag([-4.0, 4, 5, 1])
AXIAL[:3, 3] = [78, -78, -70]
SAGITTAL = np.zeros((4, 4))  # voxel axes A, S, L
SAGITTAL[1, 0], SAGITTAL[2, 1], SAGITTAL[0, 2], SAGITTAL[3, 3] = 4, 4, -5, 1
SAGITTAL[:3, 3] = [72, -80, -76]
SHIFT = np.array([6.0, -5, 4])  # mm, of the T1w's head


def head(affine: np.ndarray, shape: tuple[int, ...], shift: np.ndarray, invert: bool) -> np.ndarray:
    """A head with structures in it, sampled on a grid; the two contrasts have opposite order of intensities."""
    points = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1) @ affine[:3, :3].T + affine[:3, 3]
    points = points - shift
    structures = np.cos(points[..., 0] / 9) + np.cos(points[..., 1] / 12 + 1) + np.cos(points[..., 2] / 10 + 2)
    inside = np.linalg.norm(points / [55, 65, 60], axis=-1) < 1
    image = np.where(inside, 5 - structures if invert else 5 + structures, 0)
    return ndimage.gaussian_filter(image, 0.5).astype(np.float32)


def write_ixi(folder: Path) -> tuple[Path, Path]:
    files = folder / "IXI-T1" / "IXI012-HH-1211-T1.nii.gz", folder / "IXI-T2" / "IXI012-HH-1211-T2.nii.gz"
    images = (
        (SAGITTAL, head(SAGITTAL, (40, 38, 30), SHIFT, False)),
        (AXIAL, head(AXIAL, (40, 40, 28), np.zeros(3), True)),
    )
    for file, (affine, image) in zip(files, images, strict=True):
        file.parent.mkdir(parents=True)
        nib.save(nib.Nifti1Image(image, affine), file)
    return files


def test_ixi_becomes_bids_with_the_t1w_on_the_grid_of_the_t2w(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, t2w_file = write_ixi(tmp_path / "in")
    (tmp_path / "in" / "IXI013-HH-1212-T1.nii.gz").write_bytes(b"")
    told: list[Any] = []
    with caplog.at_level(logging.WARNING):
        assert prepare_ixi(tmp_path / "in", tmp_path / "out", lambda *n: told.append(n)) == ["sub-IXI012"]
    assert "want of T1w, T2w: sub-IXI013" in caplog.text
    assert told == [(0, 1), (1, 1)]
    (case,) = find_cases(tmp_path / "out", ("T1w", "T2w"))
    t1w, t2w = (read_volume(path) for path in case["image"])
    np.testing.assert_array_equal(t2w.numpy(), read_volume(t2w_file).numpy())
    np.testing.assert_allclose(t1w.affine.numpy(), AXIAL)
    aligned = head(AXIAL, (40, 40, 28), np.zeros(3), False)
    assert np.corrcoef(t1w[0, 8:-8, 8:-8, 6:-6].numpy().ravel(), aligned[8:-8, 8:-8, 6:-6].ravel())[0, 1] > 0.95
    assert json.loads((tmp_path / "out" / "dataset_description.json").read_text())["DatasetType"] == "raw"


def test_ixi_without_pairs_has_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        prepare_ixi(tmp_path / "missing", tmp_path / "out")
    with pytest.raises(InputError, match="no subject with T1w, T2w"):
        prepare_ixi(tmp_path, tmp_path / "out")


def knee(acquisition: str, n_slices: int, n_sampled: int = 20) -> tuple[Kspace, np.ndarray]:
    """Two coils of a bright block, read out with twofold oversampling along y."""
    image = np.zeros((n_slices, 2, 48, 20), np.complex64)
    image[:, :, 16:32, 4:16] = 1e-5 * np.random.default_rng(n_slices).uniform(1, 2, (n_slices, 2, 16, 12))
    mask = np.abs(np.arange(20) - 10) <= n_sampled / 2
    attributes = {"acquisition": acquisition, "recon_matrix": (24, 20), "voxel_size": (0.5, 0.6, 3.0)}
    kspace = image_to_kspace(torch.from_numpy(image)).numpy() * mask
    return Kspace(kspace, mask[None, None, None], attributes), np.sqrt(np.square(np.abs(image)).sum(1))


@pytest.fixture
def knees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of one pair; the files are read by a stand-in, as h5py may not be here."""
    content = {"pd": knee("CORPD_FBK", 4), "pdfs": knee("CORPDFS_FBK", 3), "few": knee("CORPDFS_FBK", 3, 6)}
    for name in content:
        (tmp_path / f"{name}.h5").write_bytes(b"")
    monkeypatch.setattr(fastmri, "read_kspace", lambda path: content[path.stem][0])
    (tmp_path / "pairs.csv").write_text("pd,pdfs\n")
    return tmp_path


def test_fastmri_becomes_bids_of_magnitudes(knees: Path) -> None:
    told: list[Any] = []
    names = prepare_fastmri(knees, knees / "out", knees / "pairs.csv", lambda *n: told.append(n))
    assert names == ["sub-pdfs"]
    assert told == [(0, 1), (1, 1)]
    (case,) = find_cases(knees / "out", ("acq-pd_PDw", "acq-pdfs_PDw"))
    for path, (acquisition, n_slices) in zip(case["image"], (("CORPD_FBK", 4), ("CORPDFS_FBK", 3)), strict=True):
        volume, expected = read_volume(path), knee(acquisition, n_slices)[1][:3, 12:36]
        np.testing.assert_allclose(volume[0].numpy(), 1e6 * expected.transpose(2, 1, 0), atol=1e-4)
        np.testing.assert_allclose(np.diag(volume.affine), [0.6, 0.5, 3, 1], rtol=1e-6)


def test_fastmri_keeps_kspace_in_a_datalist(knees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What training gets of it is the magnitude of the image, coils combined, on the grid of the guide."""
    prepare_fastmri(knees, knees / "out", knees / "pairs.csv")
    (case,) = find_cases(knees / "out" / "sourcedata" / "kspace.json", ("acq-pd_PDw", "acq-pdfs_PDw"))
    assert (case["subject"], case["kspace"]) == ("sub-pdfs", str(knees / "pdfs.h5"))
    full = knee("CORPDFS_FBK", 3)[0]
    monkeypatch.setattr(load_guided_kspace, "read_kspace", lambda path: full)
    load = load_guided_kspace.LoadGuidedKspaced(contrasts=("acq-pd_PDw", "acq-pdfs_PDw"), from_full=True)
    loaded = load(case)
    expected = knee("CORPDFS_FBK", 3)[1].astype(np.float32)
    found = loaded["label"][0].numpy()
    assert found.shape[0] == loaded["guide"].shape[1] == 3
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95
    assert loaded["guide"].max() > 0


def test_kspace_that_training_would_refuse_is_told(
    knees: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    content = {"pd": knee("CORPD_FBK", 3)[0], "pdfs": knee("CORPDFS_FBK", 4)[0], "gap": knee("CORPDFS_FBK", 3)[0]}
    content["gap"].mask[..., 5] = False
    (knees / "gap.h5").write_bytes(b"")
    (knees / "pairs.csv").write_text("pd,pdfs\npd,gap\n")
    monkeypatch.setattr(fastmri, "read_kspace", lambda path: content[path.stem])
    assert prepare_fastmri(knees, knees / "out", knees / "pairs.csv") == ["sub-gap", "sub-pdfs"]
    assert not (knees / "out" / "sourcedata").exists()
    assert "pdfs.h5: its k-space has 4 slices, its guide has 3" in caplog.text
    assert "gap.h5: its k-space is not complete" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"), [("pd,few\n", "35 % of k-space are sampled"), ("pd,pdfs\npd,pdfs\n", "sub-pdfs comes twice")]
)
def test_unfit_fastmri_has_one_line(knees: Path, text: str, message: str) -> None:
    (knees / "pairs.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        prepare_fastmri(knees, knees / "out", knees / "pairs.csv")

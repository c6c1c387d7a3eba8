"""Tests of datasets.qsm_subject and datasets.prepare_qsm_labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets.input_error import InputError
from mri_attention.datasets.regions import read_region_names
from mri_attention.operators import b0_direction_from_affine
from mri_attention.scripts.preparations.qsm_labels import prepare_qsm_labels, read_values
from mri_attention.simulation.qsm_subject import FieldProtocol, average_to, draw_protocol, turned_to_scanner
from mri_attention.transforms import LoadLocalFieldd
from mri_attention.transforms.field_noise import noise_level

OBLIQUE = (0.3, -0.5, 0.8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A ball of label 1 in label 2, with a table of susceptibilities and a brain mask."""
    radius = np.linalg.norm(np.indices((24, 24, 24)) - 11.5, axis=0)
    anat = tmp_path / "labels" / "sub-ball" / "anat"
    anat.mkdir(parents=True)
    labels = np.where(radius < 4, 1, 2).astype(np.uint8)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), anat / "sub-ball_dseg.nii.gz")
    nib.save(nib.Nifti1Image((radius < 10).astype(np.uint8), np.eye(4)), anat / "sub-ball_label-brain_mask.nii.gz")
    table = "index\tname\tsusceptibility_ppm\n1\tball\t0.1\n2\trest\t-0.02\n"
    (tmp_path / "labels" / "dseg.tsv").write_text(table)
    return tmp_path / "labels"


def volume(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


def paths(folder: Path) -> tuple[Path, Path, Path]:
    derived = folder / "derivatives" / "qsm" / "sub-ball" / "anat"
    field = folder / "sub-ball" / "anat" / "sub-ball_localfield.nii.gz"
    return field, derived / "sub-ball_Chimap.nii.gz", derived / "sub-ball_desc-brain_mask.nii.gz"


def test_labels_get_the_values_of_the_table(source: Path, tmp_path: Path) -> None:
    assert prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(snr=None)) == ["sub-ball"]
    _, chi, mask = map(volume, paths(tmp_path / "out"))
    assert set(np.unique(chi[mask > 0]).round(4)) == {np.float32(0.1), np.float32(-0.02)}
    assert not chi[mask == 0].any()


def test_a_texture_is_refused_where_susceptibilities_are_told(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dseg.tsv: tells the susceptibility of every label.*leave --texture out"):
        prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(), texture=0.5)
    assert not (tmp_path / "out").exists()


def test_labels_lie_beside_the_map_with_their_names(source: Path, tmp_path: Path) -> None:
    prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(spacing=(1.0, 1.0, 2.0), snr=None, erosion=1.0))
    _, chi_file, mask_file = paths(tmp_path / "out")
    labels_file = chi_file.with_name("sub-ball_dseg.nii.gz")
    chi, mask, labels = map(volume, (chi_file, mask_file, labels_file))
    np.testing.assert_array_equal(nib.load(labels_file).affine, nib.load(chi_file).affine)
    np.testing.assert_array_equal(labels > 0, mask > 0)
    np.testing.assert_array_equal(labels == 1, (chi > 0.039) & (mask > 0))  # half is 0.04, and the smaller label
    assert read_region_names(tmp_path / "out" / "derivatives" / "qsm" / "dseg.tsv") == {1: "ball", 2: "rest"}


def test_labels_of_freesurfer_become_tissues(tmp_path: Path) -> None:
    fine = np.zeros((30, 28, 26), np.uint8)
    fine[3:-3, 3:-3, 3:-3] = 3
    fine[6:-6, 6:-6, 6:-6] = 41
    fine[9:14, 9:14, 9:14], fine[16:21, 9:14, 9:14] = 13, 52  # both pallida
    (tmp_path / "labels").mkdir()
    nib.save(nib.Nifti1Image(fine, np.eye(4)), tmp_path / "labels" / "sub-ball_dseg.nii.gz")
    prepare_qsm_labels(tmp_path / "labels", tmp_path / "out", FieldProtocol(snr=None))
    labels = volume(paths(tmp_path / "out")[1].with_name("sub-ball_dseg.nii.gz"))
    names = read_region_names(tmp_path / "out" / "derivatives" / "qsm" / "dseg.tsv")
    numbers = {name: label for label, name in names.items()}
    assert (labels == numbers["pallidum"]).sum() == 2 * 5**3
    assert (labels == numbers["white_matter"]).sum() == (fine == 41).sum()
    assert (labels == numbers["gray_matter"]).sum() == (fine == 3).sum()


def test_field_outside_of_a_ball_is_that_of_a_dipole(source: Path, tmp_path: Path) -> None:
    """``dchi/3 (a/r)^3 (3 cos^2 - 1)`` on the axis of B0, twice as much as across and of the other sign."""
    (source / "dseg.tsv").write_text("index\tname\tsusceptibility_ppm\n1\tball\t0.3\n2\trest\t0\n")
    prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(snr=None))
    field, _, mask = map(volume, paths(tmp_path / "out"))
    labels = volume(source / "sub-ball" / "anat" / "sub-ball_dseg.nii.gz")
    assert field.shape == labels.shape == mask.shape
    a3 = (labels == 1).sum() / (4 / 3 * np.pi)
    along, across = field[11:13, 11:13, 18].mean(), field[18, 11:13, 11:13].mean()
    assert along == pytest.approx(0.1 * a3 / 6.5**3 * 2, rel=0.1)
    assert across == pytest.approx(-0.1 * a3 / 6.5**3, rel=0.15)


def test_noise_has_the_level_of_the_snr(source: Path, tmp_path: Path) -> None:
    prepare_qsm_labels(source, tmp_path / "clean", FieldProtocol(snr=None))
    prepare_qsm_labels(source, tmp_path / "noisy", FieldProtocol(snr=20.0))
    (clean, _, mask), (noisy, *_) = (tuple(map(volume, paths(tmp_path / n))) for n in ("clean", "noisy"))
    assert (noisy - clean)[mask > 0].std() == pytest.approx(noise_level(20.0), rel=0.05)


def test_direction_can_be_read_from_sidecar_and_from_affine(source: Path, tmp_path: Path) -> None:
    prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(OBLIQUE))
    field = paths(tmp_path / "out")[0]
    expected = np.array(OBLIQUE) / np.linalg.norm(OBLIQUE)
    for keep in (True, False):
        if not keep:
            field.with_name("sub-ball_localfield.json").unlink()
        np.testing.assert_allclose(LoadLocalFieldd()({"image": str(field)})["b0_direction"], expected, atol=1e-5)


def test_erosion_takes_the_border_of_the_mask(source: Path, tmp_path: Path) -> None:
    prepare_qsm_labels(source, tmp_path / "a", FieldProtocol())
    prepare_qsm_labels(source, tmp_path / "b", FieldProtocol(erosion=2.0))
    whole, eroded = (volume(paths(tmp_path / n)[2]) for n in "ab")
    assert eroded.sum() < 0.7 * whole.sum()
    assert not (eroded > whole).any()


def test_protocols_are_drawn_without_one(source: Path, tmp_path: Path) -> None:
    prepare_qsm_labels(source, tmp_path / "out", seed=3)
    drawn = draw_protocol(np.random.default_rng([3, 0]), 1.0)
    sizes = nib.load(paths(tmp_path / "out")[0]).header.get_zooms()
    assert sizes[2] == pytest.approx(drawn.spacing[2] if drawn.spacing else 1, rel=0.1)


def sidecar(folder: Path) -> dict[str, object]:
    fields: dict[str, object] = json.loads(paths(folder)[0].with_name("sub-ball_localfield.json").read_text())
    return fields


@pytest.mark.parametrize("shading", [0.0, 0.6])
def test_noise_that_is_told_is_that_of_the_field(source: Path, tmp_path: Path, shading: float) -> None:
    for name, snr in (("noisy", 15.0), ("clean", None)):
        prepare_qsm_labels(source, tmp_path / name, FieldProtocol(snr=snr, shading=shading))
    (noisy, _, mask), (clean, *_) = (tuple(map(volume, paths(tmp_path / n))) for n in ("noisy", "clean"))
    told = sidecar(tmp_path / "noisy")["FieldNoise"]
    assert told == pytest.approx(1000 * (noisy - clean)[mask > 0].std(), rel=1e-3)
    assert (
        told == pytest.approx(1000 * noise_level(15.0), rel=0.05) if shading == 0 else told > 1100 * noise_level(15.0)
    )
    assert sidecar(tmp_path / "clean")["FieldNoise"] == 0


def test_magnitude_lies_beside_a_field_whose_noise_depends_on_it(source: Path, tmp_path: Path) -> None:
    for shading in (0.0, 0.6):
        prepare_qsm_labels(source, tmp_path / f"{shading}", FieldProtocol(shading=shading))
    files = [paths(tmp_path / f"{s}")[0].with_name("sub-ball_magnitude.nii.gz") for s in (0.0, 0.6)]
    assert [file.exists() for file in files] == [False, True]
    magnitude, mask = volume(files[1]), volume(paths(tmp_path / "0.6")[2]) > 0
    assert magnitude[mask].min() > 0.3
    assert magnitude.max() <= 1
    assert not magnitude[~mask].any()


def test_sidecar_tells_what_was_drawn(source: Path, tmp_path: Path) -> None:
    prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(OBLIQUE, background=0.0015, shading=0.25))
    told = sidecar(tmp_path / "out")
    assert told["ResidualBackground"] == 1.5
    assert told["MagnitudeShading"] == 0.25
    assert told["SignalToNoiseRatio"] == 40.0


def test_drawn_protocols_span_their_ranges() -> None:
    drawn = [draw_protocol(np.random.default_rng(seed), 1.2) for seed in range(400)]
    noise = np.log([1000 * noise_level(protocol.snr or 1) for protocol in drawn])
    assert np.log(0.3) <= noise.min() < np.log(0.35)
    assert np.log(9) < noise.max() <= np.log(10)
    assert np.median(noise) == pytest.approx(np.log(3) / 2, abs=0.25)
    tilts = np.degrees([np.arccos(protocol.b0_direction[2]) for protocol in drawn])
    assert 38 < tilts.max() <= 40
    assert {round(protocol.spacing[2], 1) for protocol in drawn if protocol.spacing} == {1.2, 2.4}
    for name in ("background", "shading"):
        assert 0.4 < np.mean([getattr(protocol, name) > 0 for protocol in drawn]) < 0.6


@pytest.mark.parametrize("direction", [(0, 0, 1), (0, 0, -1), (0, 1, 0), OBLIQUE])
def test_turned_affine_has_b0_along_the_scanner(direction: tuple[float, float, float]) -> None:
    affine = turned_to_scanner(np.diag([1.0, 2.0, 3.0, 1.0]), direction)
    found = b0_direction_from_affine(affine)
    np.testing.assert_allclose(found, np.array(direction) / np.linalg.norm(direction), atol=1e-9)


def test_averages_keep_the_mean_and_the_extent() -> None:
    maps = np.random.default_rng(0).random((2, 12, 9, 30), dtype=np.float32)
    out, affine = average_to(maps, np.eye(4), (2.0, 3.0, 2.9))
    assert out.shape == (2, 6, 3, 10)
    np.testing.assert_allclose(out.mean((1, 2, 3)), maps.mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(affine, [[2, 0, 0, 0.5], [0, 3, 0, 1], [0, 0, 3, 1], [0, 0, 0, 1]])


def test_bad_sources_are_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        prepare_qsm_labels(tmp_path / "nowhere", tmp_path / "out")
    (source / "dseg.tsv").write_text("index\tname\tsusceptibility_ppm\n1\tball\tmuch\n")
    with pytest.raises(InputError, match=r"dseg\.tsv: cannot be read"):
        read_values(source / "dseg.tsv")


def test_a_mask_of_another_shape_is_refused(source: Path, tmp_path: Path) -> None:
    mask = source / "sub-ball" / "anat" / "sub-ball_label-brain_mask.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.uint8), np.eye(4)), mask)
    with pytest.raises(InputError, match="has shape"):
        prepare_qsm_labels(source, tmp_path / "out", FieldProtocol())


def test_files_that_macos_leaves_are_passed_over(source: Path, tmp_path: Path) -> None:
    (source / "._sub-ball_dseg.nii.gz").write_bytes(b"\0\5\26\7")
    assert prepare_qsm_labels(source, tmp_path / "out", FieldProtocol(snr=None)) == ["sub-ball"]


def test_two_label_maps_of_a_subject_are_refused(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, source / "again")
    with pytest.raises(InputError, match=r"sub-ball_dseg.nii.gz: one of several label maps of one subject"):
        prepare_qsm_labels(source, tmp_path / "out", FieldProtocol())
    assert not (tmp_path / "out").exists()

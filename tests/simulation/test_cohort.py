"""Tests of datasets.simulation, datasets.acquisition and datasets.protocols: the physics that images must show."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from mri_attention.datasets import InputError, find_cases
from mri_attention.datasets.regions import read_region_names
from mri_attention.simulation.acquisition import acquire
from mri_attention.simulation.anatomy import mni_anatomy
from mri_attention.simulation.cohort import make_head, simulate_dataset
from mri_attention.simulation.deformation import Grid
from mri_attention.simulation.protocols import draw_protocols, signals
from mri_attention.simulation.slices import slice_profile

CONTRASTS = ("T1w", "T2w", "FLAIR", "PDw")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    simulate_dataset(folder, n_subjects=2, seed=3, spacing=3.0)
    return folder


def load(dataset: Path, subject: str, suffix: str) -> np.ndarray:
    folder = dataset if suffix in CONTRASTS else dataset / "derivatives" / "simulator"
    return np.asarray(nib.load(folder / subject / "anat" / f"{subject}_{suffix}.nii.gz").dataobj)


def draw(seed: int, contrast: str) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {name: abs(value) for name, value in signals(draw_protocols(rng)[contrast]).items()}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("contrast", "ascending"),
    [
        ("T1w", ("gray_matter", "white_matter")),
        ("T1w", ("lesion", "white_matter")),
        ("T2w", ("white_matter", "gray_matter", "lesion", "csf")),
        ("FLAIR", ("csf", "white_matter", "lesion")),
        ("FLAIR", ("csf", "gray_matter", "lesion")),
        ("PDw", ("white_matter", "gray_matter")),
    ],
)
def test_every_protocol_orders_the_tissues_as_a_radiologist_expects(
    seed: int, contrast: str, ascending: tuple[str, ...]
) -> None:
    values = draw(seed, contrast)
    assert [values[name] for name in ascending] == sorted(values[name] for name in ascending)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("contrast", "share"), [("FLAIR", 0.35), ("T1w", 0.6)])
def test_fluid_is_dark(seed: int, contrast: str, share: float) -> None:
    values = draw(seed, contrast)
    assert values["csf"] < share * values["white_matter"]


def test_lesions_stand_out_on_flair_whatever_the_relaxation_times() -> None:
    """In the two patients of Lesjak et al. lesions are 1.4 times as bright as white matter, gray matter 1.1 to 1.2."""
    rng = np.random.default_rng(0)
    drawn = [signals(draw_protocols(rng)["FLAIR"], rng) for _ in range(500)]
    white, gray, lesion = (
        np.array([abs(values[name]) for values in drawn]) for name in ("white_matter", "gray_matter", "lesion")
    )
    assert np.quantile(lesion / white, 0.02) > 1.15
    assert np.mean(lesion > 1.05 * gray) > 0.95
    assert 1.05 < np.median(gray / white) < 1.3


@pytest.mark.parametrize("contrast", ["T1w", "T2w", "FLAIR"])
def test_images_show_what_the_equations_say(dataset: Path, contrast: str) -> None:
    image, labels = load(dataset, "sub-001", contrast), load(dataset, "sub-001", "dseg")
    names = (dataset / "derivatives" / "simulator" / "dseg.tsv").read_text().split()[2:]
    index = dict(zip(names[1::2], map(int, names[::2]), strict=True))
    inner = {name: ndimage.binary_erosion(labels == index[name], iterations=1) for name in ("white_matter", "csf")}
    ratio = np.median(image[inner["csf"]]) / np.median(image[inner["white_matter"]])
    assert ratio > 1.5 if contrast == "T2w" else ratio < 0.7


@pytest.mark.parametrize(("contrast", "is_brighter"), [("FLAIR", True), ("T2w", True), ("T1w", False)])
def test_lesions_stand_out_from_white_matter(dataset: Path, contrast: str, is_brighter: bool) -> None:
    image, lesions = load(dataset, "sub-002", contrast), load(dataset, "sub-002", "label-lesion_mask") > 0
    assert lesions.any()
    names = (dataset / "derivatives" / "simulator" / "dseg.tsv").read_text().split()[2:]
    white = load(dataset, "sub-002", "dseg") == int(names[names.index("white_matter") - 1])
    assert (np.median(image[lesions]) > np.median(image[white])) == is_brighter


def test_dataset_is_bids_that_the_bundle_finds(dataset: Path) -> None:
    cases = find_cases(dataset, label="label-lesion_mask")
    assert [case["subject"] for case in cases] == ["sub-001", "sub-002"]
    assert json.loads((dataset / "dataset_description.json").read_text())["BIDSVersion"]
    truth = json.loads((dataset / "derivatives" / "simulator" / "dataset_description.json").read_text())
    assert (truth["DatasetType"], truth["GeneratedBy"]) == ("derivative", [{"Name": "mri-attention"}])


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_sidecars_tell_the_times(dataset: Path, contrast: str) -> None:
    sidecar = json.loads((dataset / "sub-001" / "anat" / f"sub-001_{contrast}.json").read_text())
    assert 0 < sidecar["EchoTime"] < sidecar["RepetitionTime"]
    assert sidecar["MagneticFieldStrength"] == 3.0
    assert ("InversionTime" in sidecar) == (sidecar["ScanningSequence"] == "IR")


def test_outside_of_the_brain_is_zero(dataset: Path) -> None:
    assert not load(dataset, "sub-001", "FLAIR")[load(dataset, "sub-001", "desc-brain_mask") == 0].any()


def test_lesions_lie_in_the_brain_and_are_no_specks(dataset: Path) -> None:
    lesions = load(dataset, "sub-001", "label-lesion_mask") > 0
    assert load(dataset, "sub-001", "desc-brain_mask")[lesions].all()


def test_a_subject_does_not_depend_on_the_others(dataset: Path, tmp_path: Path) -> None:
    simulate_dataset(tmp_path, n_subjects=1, seed=3, spacing=3.0, first_subject=2)
    for suffix in (*CONTRASTS, "label-lesion_mask"):
        np.testing.assert_array_equal(load(tmp_path, "sub-002", suffix), load(dataset, "sub-002", suffix))


def test_another_seed_gives_another_head(dataset: Path, tmp_path: Path) -> None:
    simulate_dataset(tmp_path, n_subjects=1, seed=4, spacing=3.0)
    assert (load(tmp_path, "sub-001", "FLAIR") != load(dataset, "sub-001", "FLAIR")).any()


def test_slices_are_thick_and_keep_the_place(dataset: Path, tmp_path: Path) -> None:
    simulate_dataset(tmp_path, n_subjects=1, seed=3, spacing=3.0, slice_thickness=6.0)
    thick = nib.load(tmp_path / "sub-001" / "anat" / "sub-001_T2w.nii.gz")
    assert thick.header.get_zooms()[2] == pytest.approx(6.0, rel=0.03)
    weights = [
        (image, np.asarray(image.dataobj, dtype=float))
        for image in (thick, nib.load(dataset / "sub-001" / "anat" / "sub-001_T2w.nii.gz"))
    ]
    centers = [
        image.affine[:3, :3] @ np.array(ndimage.center_of_mass(data > 0)) + image.affine[:3, 3]
        for image, data in weights
    ]
    np.testing.assert_allclose(centers[0], centers[1], atol=1.0)


def test_given_masks_are_carried(tmp_path: Path) -> None:
    mask = np.zeros((182, 218, 182), np.uint8)
    mask[60:70, 100:120, 90:100] = 1  # right frontal white matter in MNI152
    nib.save(
        nib.Nifti1Image(mask, np.array([[-1.0, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])),
        tmp_path / "mask.nii.gz",
    )
    head = make_head(mni_anatomy(), np.random.default_rng(0), 2.0, lesion_mask=tmp_path / "mask.nii.gz")
    where = np.argwhere(head.lesions)
    assert where.size
    place = head.grid.affine[:3, :3] @ where.mean(0) + head.grid.affine[:3, 3]
    assert np.linalg.norm(np.abs(place) - [25, 16, 23]) < 20


@pytest.mark.slow
def test_skull_is_kept_on_demand(tmp_path: Path) -> None:
    simulate_dataset(tmp_path, n_subjects=1, spacing=3.0, skull=True)
    outside = load(tmp_path, "sub-001", "T1w")[load(tmp_path, "sub-001", "desc-brain_mask") == 0]
    assert outside.max() > load(tmp_path, "sub-001", "T1w").mean()


def test_noise_is_rician() -> None:
    """Where there is no signal, a magnitude's mean over its root mean square is sqrt(pi) / 2 (Rayleigh)."""
    empty = {"white_matter": np.zeros((40, 40, 40), np.float32)}
    protocol = draw_protocols(np.random.default_rng(0))["FLAIR"]
    grid = Grid.around((0, 0, 0), (40, 40, 40), (1.0, 1.0, 1.0))
    image, _, _ = acquire(empty, protocol, grid, "FLAIR", np.random.default_rng(1))
    assert image.mean() / np.sqrt((image**2).mean()) == pytest.approx(np.sqrt(np.pi) / 2, rel=0.01)


@pytest.mark.parametrize("n_slices", [3, 4, 7])
def test_slices_average_what_they_cover(n_slices: int) -> None:
    signal = np.random.default_rng(0).normal(size=(2, 3, 12)).astype(np.float32)
    fine = np.repeat(signal, 84, axis=2).reshape(2, 3, n_slices, -1).mean(-1)  # 84 is a multiple of 3, 4 and 7
    np.testing.assert_allclose(slice_profile(signal, 12 / n_slices, n_slices), fine, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"n_subjects": 0}, {"spacing": 0.0}, {"slice_thickness": 0.5}])
def test_rejects_impossible_requests(wrong: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot simulate"):
        simulate_dataset(tmp_path, **wrong)  # type: ignore[arg-type]


def test_rejects_a_folder_without_masks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*mask"):
        simulate_dataset(tmp_path / "out", lesion_masks=tmp_path)


def test_susceptibility_adds_a_field_and_the_map_that_makes_it(tmp_path: Path) -> None:
    simulate_dataset(tmp_path, n_subjects=1, seed=1, spacing=6.0, susceptibility=True)
    case = find_cases(tmp_path, ("localfield",), "Chimap")[0]
    field, chi = (np.asarray(nib.load(path).dataobj) for path in (*case["image"], case["label"]))
    assert field.shape == chi.shape
    assert 0.001 < field[field != 0].std() < chi[field != 0].std() < 0.3
    labels = np.asarray(nib.load(case["label"].replace("Chimap", "dseg")).dataobj)
    names = read_region_names(tmp_path / "derivatives" / "qsm" / "dseg.tsv")
    white = labels == {name: label for label, name in names.items()}["white_matter"]
    assert labels.shape == chi.shape
    assert 0.1 < white.sum() / (field != 0).sum() < 0.9
    assert chi[white].mean() < chi[(labels > 0) & ~white].mean()

"""Tests of transforms.load_contrasts."""

import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from monai.data import decollate_batch, list_data_collate
from monai.transforms import Compose, CropForegroundd, NormalizeIntensityd, Orientationd
from scipy.ndimage import map_coordinates

from mri_attention.datasets.input_error import InputError
from mri_attention.datasets.volumes import header_of, read_volume
from mri_attention.transforms import ApplyBrainMaskd, OwnKeysSpacingd, WarnOfSkulld
from mri_attention.transforms.load_contrasts import LoadContrastsd
from tests.transforms.heads import CONTRASTS, GRID, ROTATED, blob, patient, save

REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("form", ["list", "mapping", "siblings", "siblings of another", "one in a list"])
def test_paths_in_every_form_give_the_same_image(tmp_path: Path, form: str) -> None:
    paths = patient(tmp_path)
    value = {
        "list": paths,
        "mapping": dict(zip(CONTRASTS[::-1], paths[::-1], strict=True)),
        "siblings": paths[2],
        "siblings of another": paths[0],
        "one in a list": paths[2:],
    }[form]
    image = LoadContrastsd()({"image": value})["image"]
    expected = np.stack([k * blob(GRID) for k in (1, 2, 3)])
    np.testing.assert_array_equal(image.numpy(), expected)


def test_image_has_affine_header_and_name_of_the_reference(tmp_path: Path) -> None:
    paths = patient(tmp_path, t1w=ROTATED)
    for reference, path in zip(CONTRASTS, paths, strict=True):
        image = LoadContrastsd(reference=reference)({"image": paths})["image"]
        expected = read_volume(path)
        np.testing.assert_array_equal(image.affine.numpy(), expected.affine.numpy())
        assert header_of(image) == header_of(expected)
        assert image.meta["filename_or_obj"] == path


def test_another_grid_is_resampled_linearly_in_world_coordinates(tmp_path: Path) -> None:
    image = LoadContrastsd()({"image": patient(tmp_path, t1w=ROTATED)})["image"]
    voxels = np.stack(np.meshgrid(*map(np.arange, (20, 22, 10)), indexing="ij")).reshape(3, -1)
    matrix = np.linalg.solve(ROTATED, GRID)
    there = matrix[:3, :3] @ voxels + matrix[:3, 3:]
    expected = map_coordinates(blob(ROTATED), there, order=1, mode="grid-constant").reshape(20, 22, 10)
    np.testing.assert_allclose(image[0].numpy(), expected, atol=2e-4)


def test_same_grid_is_not_interpolated_in_spite_of_header_noise(tmp_path: Path) -> None:
    noisy = GRID + np.random.default_rng(0).uniform(-2e-4, 2e-4, (4, 4)) * [[1], [1], [1], [0]]
    image = LoadContrastsd()({"image": patient(tmp_path, t1w=noisy)})["image"]
    np.testing.assert_array_equal(image[0].numpy(), blob(noisy))


def test_registration_undoes_a_shift_of_the_header(tmp_path: Path) -> None:
    grid = np.diag([2.0, 2, 2, 1])
    grid[:3, 3] = -32
    shape, shift = (33, 33, 33), np.array([4.0, -3, 2])
    centers = ((0, 0, 0), (8, 4, -6), (-6, 10, 8))
    head = sum(k * blob(grid, shape, center) for k, center in enumerate(centers, 1))
    wrong = grid.copy()
    wrong[:3, 3] += shift
    save(tmp_path / "a_T1w.nii.gz", head, wrong)
    path = save(tmp_path / "a_FLAIR.nii.gz", 5 - head, grid)
    load = LoadContrastsd(contrasts=("T1w", "FLAIR"), register=True)
    image = load({"image": str(path)})["image"]
    motion = image.meta["motion"]
    np.testing.assert_allclose(motion[0, :3, 3], -shift, atol=0.5)
    np.testing.assert_array_equal(motion[1], np.eye(4))
    inner = slice(4, -4)
    np.testing.assert_allclose(image[0, inner, inner, inner], head[inner, inner, inner], atol=0.1)


def test_motion_found_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        LoadContrastsd(register=True)({"image": patient(tmp_path)})
    assert "T1w registered to FLAIR: rotation (" in caplog.text


def test_images_apart_are_refused(tmp_path: Path) -> None:
    away = GRID.copy()
    away[0, 3] += 500
    paths = patient(tmp_path)
    save(Path(paths[0]), blob(GRID), away)
    with pytest.raises(InputError, match=r"T1w.nii.gz: does not overlap with the FLAIR image.*set `register` to true"):
        LoadContrastsd()({"image": paths})


def test_images_that_show_nothing_of_each_other_are_refused(tmp_path: Path) -> None:
    """Within one grid, as of a thin slab below the brain that an extracted image has nothing of."""
    paths, top = patient(tmp_path), np.zeros((20, 22, 10), np.float32)
    top[:, :, -2:] = 1
    save(Path(paths[0]), top)
    save(Path(paths[2]), blob(GRID)[:, :, :3])
    with pytest.raises(InputError, match=r"T1w.nii.gz: is empty where the FLAIR image is.*set `register` to true"):
        LoadContrastsd()({"image": paths})


def test_little_overlap_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    away = GRID.copy()
    away[1, 3] += 25
    with caplog.at_level(logging.WARNING):
        LoadContrastsd()({"image": patient(tmp_path, t1w=away)})
    assert "% of the FLAIR image's foreground; consider `register`" in caplog.text


def test_same_head_gives_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    LoadContrastsd()({"image": patient(tmp_path, t1w=ROTATED)})
    assert not caplog.records


def test_reference_must_be_a_contrast_that_is_always_there() -> None:
    with pytest.raises(ValueError, match="reference must be one of contrasts, and not optional, got reference='PDw'"):
        LoadContrastsd(reference="PDw")
    with pytest.raises(ValueError, match="and not optional"):
        LoadContrastsd(optional=["FLAIR"])


MISSING = [["T2w"], ["T1w"], ["T1w", "T2w"]]


@pytest.mark.parametrize("missing", MISSING, ids="+".join)
@pytest.mark.parametrize("form", ["list", "mapping", "siblings"])
def test_missing_contrasts_are_channels_of_zeros_and_told(
    form: str, missing: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = dict(zip(CONTRASTS, patient(tmp_path), strict=True))
    whole = LoadContrastsd()({"image": list(paths.values())})["image"]
    for name in missing:
        Path(paths.pop(name)).unlink()
    value = {"list": [paths.get(name) for name in CONTRASTS], "mapping": paths, "siblings": paths["FLAIR"]}[form]
    image = LoadContrastsd(optional=["T1w", "T2w"])({"image": value})["image"]
    for number, name in enumerate(CONTRASTS):
        np.testing.assert_array_equal(image[number].numpy(), 0 * whole[number] if name in missing else whole[number])
    assert image.meta["missing"].split("\n") == missing
    assert image.meta["sources"].split("\n") == list(paths.values())
    assert [image.meta[name].shape for name in ("motion", "grids")] == [(3, 4, 4), (3, 5, 4)]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{paths['FLAIR']}: comes without {' and '.join(missing)}; the result is made from")


@pytest.mark.parametrize("left_out", [["T1w", "T2w"], "T1w+T2w"])
def test_what_is_left_out_is_as_if_it_were_missing_and_no_warning(
    left_out: list[str] | str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = patient(tmp_path)
    image = LoadContrastsd(optional=["T1w", "T2w"], leave_out=left_out)({"image": paths})["image"]
    assert not caplog.records
    alone = LoadContrastsd(optional=["T1w", "T2w"])({"image": {"FLAIR": paths[2]}})["image"]
    np.testing.assert_array_equal(image.numpy(), alone.numpy())
    assert image.meta["missing"] == alone.meta["missing"]


def test_only_what_may_be_missing_can_be_left_out() -> None:
    with pytest.raises(InputError, match="`leave_out` FLAIR: is no contrast that may be missing; choose among T1w"):
        LoadContrastsd(optional=["T1w"], leave_out=["FLAIR"])


def test_with_all_contrasts_nothing_is_told_and_the_image_is_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = patient(tmp_path, t1w=ROTATED)
    image, other = (LoadContrastsd(optional=names)({"image": paths})["image"] for names in ((), ("T1w", "T2w")))
    np.testing.assert_array_equal(image.numpy(), other.numpy())
    assert not caplog.records
    assert other.meta["missing"] == ""


def test_cases_with_and_without_contrasts_go_into_one_batch(tmp_path: Path) -> None:
    load, paths = LoadContrastsd(optional=["T1w", "T2w"]), patient(tmp_path)
    cases = [load({"image": paths}), load({"image": {"FLAIR": paths[2]}})]
    batch = decollate_batch(list_data_collate(cases))
    assert [item["image"].meta["missing"] for item in batch] == ["", "T1w\nT2w"]


def test_zeros_stay_zeros_through_all_that_prepares_images(tmp_path: Path) -> None:
    path = save(tmp_path / "sub-01_FLAIR.nii.gz", blob(ROTATED), ROTATED)
    mask = save(tmp_path / "mask.nii.gz", np.pad(np.ones((16, 18, 6), np.uint8), 2), ROTATED)
    steps = Compose(
        [
            LoadContrastsd(optional=["T1w", "T2w"], register="auto"),
            WarnOfSkulld(),
            ApplyBrainMaskd(),
            Orientationd(keys="image", axcodes="RAS", labels=None),
            OwnKeysSpacingd(keys="image", pixdim=[1.5] * 3, mode="bilinear"),
            CropForegroundd(keys="image", source_key="image", margin=4, k_divisible=16, allow_smaller=True),
            NormalizeIntensityd(keys="image", nonzero=True, channel_wise=True),
        ]
    )
    image = steps({"image": str(path), "mask": str(mask)})["image"]
    assert not image[:2].any()
    assert image[2].any()
    assert image.isfinite().all()


def test_a_link_finds_its_siblings_where_it_points_to(tmp_path: Path) -> None:
    paths = patient(tmp_path / "images")
    link = tmp_path / "links" / Path(paths[2]).name
    link.parent.mkdir()
    link.symlink_to(paths[2])
    image = LoadContrastsd(optional=["T1w", "T2w"])({"image": str(link)})["image"]
    assert image.meta["missing"] == ""


def test_missing_sibling_is_refused(tmp_path: Path) -> None:
    paths = patient(tmp_path)
    Path(paths[1]).unlink()
    with pytest.raises(InputError, match=r"no T2w image beside it; add sub-01_T2w.nii.gz"):
        LoadContrastsd()({"image": paths[2]})


def test_single_file_of_unknown_contrast_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not tell its contrast; end its name with one of _T1w, _T2w, _FLAIR"):
        LoadContrastsd()({"image": str(tmp_path / "brain.nii.gz")})


def test_nan_is_refused_or_replaced(tmp_path: Path) -> None:
    paths = patient(tmp_path)
    data = blob(GRID)
    data[0, 0, 0] = np.nan
    save(Path(paths[0]), data)
    with pytest.raises(InputError, match="1 NaN"):
        LoadContrastsd()({"image": paths})
    assert LoadContrastsd(allow_nan=True)({"image": paths})["image"][0, 0, 0, 0] == 0


def test_headers_and_sources_survive_batching(tmp_path: Path) -> None:
    cases = [LoadContrastsd()({"image": patient(tmp_path, name=name)}) for name in ("sub-01", "sub-02")]
    for case, after in zip(cases, decollate_batch(list_data_collate(cases)), strict=True):
        assert header_of(after["image"]) == header_of(case["image"])
        assert after["image"].meta["sources"] == case["image"].meta["sources"]
        assert after["image"].meta["filename_or_obj"] == case["image"].meta["filename_or_obj"]


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
def test_real_contrasts_on_three_grids_come_to_the_flairs(caplog: pytest.LogCaptureFixture) -> None:
    path = REAL / "multicontrast_2d/sub-04/ses-1/anat/sub-04_ses-1_FLAIR.nii.gz"
    image = LoadContrastsd()({"image": str(path)})["image"]
    assert image.shape == (3, 320, 320, 48)
    np.testing.assert_array_equal(image.affine.numpy(), nib.load(path).affine)
    flair = image[2].flatten()
    assert all(np.corrcoef(channel.flatten(), flair)[0, 1] > 0.6 for channel in image[:2])
    assert not caplog.records

"""Tests of simulation.effects: what is bright beside lesions is bright, in its place, and never in the label."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.simulation.anatomy import mni_anatomy
from mri_attention.simulation.cohort import make_head, simulate_dataset
from mri_attention.simulation.deformation import Grid
from mri_attention.simulation.effects import EFFECTS, HEAD_EFFECTS, IMAGE_EFFECTS, Effects
from mri_attention.simulation.head import Head
from mri_attention.simulation.protocols import draw_protocols, signals
from mri_attention.simulation.smooth_shapes import soft_ball
from mri_attention.simulation.tissues import NON_LESIONS, TISSUES, plain_tissues

SPACING = (1.0, 1.0, 1.0)
FLAIR_ALONE = {"ghosts", "thick_slices"}


@pytest.fixture(scope="module")
def head() -> Head:
    return make_head(mni_anatomy(), np.random.default_rng(4), 3.0)


def changed(head: Head, name: str, strength: float = 1.0) -> Head:
    return HEAD_EFFECTS[name].change(head, strength, np.random.default_rng(1))


def load(folder: Path, suffix: str) -> np.ndarray:
    return np.asarray(nib.load(next(folder.rglob(f"sub-001_{suffix}.nii.gz"))).dataobj)


@pytest.mark.parametrize("name", sorted(set(HEAD_EFFECTS) - {"raters_border"}))
def test_effects_on_tissue_change_it_outside_of_lesions_and_leave_the_label(head: Head, name: str) -> None:
    after = changed(head, name)
    np.testing.assert_array_equal(after.lesions, head.lesions)
    differs = sum(
        np.abs(after.tissues[key] - head.tissues.get(key, np.zeros(head.brain.shape, np.float32)))
        for key in after.tissues
    )
    assert differs.max() > 0.05
    assert not differs[head.lesions].any()


@pytest.mark.parametrize("name", sorted(set(HEAD_EFFECTS) - {"loose_mask"}))
def test_effects_on_tissue_keep_the_amount_of_it(head: Head, name: str) -> None:
    after = changed(head, name)
    np.testing.assert_allclose(sum(after.tissues.values()), sum(head.tissues.values()), atol=1e-4)
    assert min(fraction.min() for fraction in after.tissues.values()) > -1e-5


@pytest.mark.parametrize("name", [name for name in HEAD_EFFECTS if name not in ("raters_border", "septum")])
def test_stronger_effects_change_more(head: Head, name: str) -> None:
    weak, strong = (
        sum(np.abs(changed(head, name, s).tissues[key] - head.tissues.get(key, 0)).sum() for key in head.tissues)
        + changed(head, name, s).brain.sum()
        for s in (0.2, 1.0)
    )
    assert strong > weak


@pytest.mark.parametrize("seed", range(6))
def test_non_lesions_are_brighter_than_white_matter_on_flair_and_no_brighter_than_bright_lesions(seed: int) -> None:
    protocol = draw_protocols(np.random.default_rng(seed))["FLAIR"]
    values = signals(protocol)
    for name, tissue in NON_LESIONS.items():
        ratio = protocol.signal(tissue) / values["white_matter"]
        assert 0.9 < ratio < 1.15 * values["lesion"] / values["white_matter"] or name == "fresh_fluid"


@pytest.mark.parametrize("seed", range(6))
def test_plexus_is_gray_on_t1w(seed: int) -> None:
    protocol = draw_protocols(np.random.default_rng(seed))["T1w"]
    values = signals(protocol)
    assert abs(values["csf"]) < protocol.signal(NON_LESIONS["choroid_plexus"]) + 0.1 < values["white_matter"] + 0.1


def test_plexus_lies_in_the_ventricles_of_both_sides(head: Head) -> None:
    plexus = changed(head, "choroid_plexus").tissues["choroid_plexus"]
    assert (plexus[head.regions["ventricles"] < 0.05] == 0).all()
    x = np.argwhere(plexus > 0.3)[:, 0] * head.grid.affine[0, 0] + head.grid.affine[0, 3]
    assert (x < -8).any()
    assert (x > 8).any()


def test_plexus_of_the_anatomy_is_used_where_it_has_one(head: Head) -> None:
    given = np.zeros(head.brain.shape, np.float32)
    inside = tuple(np.argwhere(head.regions["ventricles"] > 0.9)[0])
    given[inside] = 1
    known = replace(head, regions={**head.regions, "choroid_plexus": given})
    plexus = changed(known, "choroid_plexus").tissues["choroid_plexus"]
    assert plexus[inside] == plexus.max() > 0.2


def test_rims_lie_along_the_ventricles(head: Head) -> None:
    gained = changed(head, "ventricle_rims").tissues["lesion"] - head.tissues["lesion"]
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(head.regions["ventricles"] <= 0.5) * 3.0
    assert gained[distance > 15].max() < 0.01 < gained[distance < 4].max()


@pytest.mark.parametrize("seed", range(8))
def test_raters_move_the_border_by_their_generosity_and_lose_no_lesion(head: Head, seed: int) -> None:
    from scipy import ndimage

    after = HEAD_EFFECTS["raters_border"].change(head, 1.0, np.random.default_rng(seed))
    parts, n_parts = ndimage.label(head.lesions, np.ones((3, 3, 3)))
    assert set(np.unique(parts[after.lesions])) >= set(range(1, n_parts + 1))
    reach = ndimage.distance_transform_edt(~head.lesions)[after.lesions].max()
    assert reach * 3.0 < 1.5 + 3.0 + 3.0
    assert (head.tissues["lesion"][after.lesions & ~head.lesions] > 0.1).all()


@pytest.mark.parametrize("seed", range(8))
def test_strict_raters_leave_out_a_thin_rim_alone(seed: int) -> None:
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    grid = Grid.around((0, 0, 0), (40, 40, 40), SPACING)
    share = soft_ball(tuple(np.ogrid[-19.5:20, -19.5:20, -19.5:20]), (0, 0, 0), (10, 7, 8))
    tissues = {"lesion": share, "white_matter": 1 - share}
    lesions = share > 0.5
    after = HEAD_EFFECTS["raters_border"].change(Head(grid, tissues, lesions | True, lesions), 1.0, rng).lesions
    left_out = lesions & ~after
    assert (ndimage.distance_transform_edt(lesions)[left_out] < 0.8 + 0.5 + 4 * 0.3).all()
    is_strict = np.random.default_rng(seed).uniform(-0.8, 1.5) < -0.5
    assert left_out.any() or not is_strict


@pytest.mark.parametrize("name", IMAGE_EFFECTS)
@pytest.mark.parametrize("contrast", ["FLAIR", "T1w"])
def test_effects_on_images_concern_their_contrast(name: str, contrast: str) -> None:
    image = np.random.default_rng(0).uniform(1, 2, (20, 24, 22)).astype(np.float32)
    after = IMAGE_EFFECTS[name].change(image, SPACING, contrast, 1.0, np.random.default_rng(3))
    concerned = (contrast == "FLAIR") == (name in FLAIR_ALONE) or name == "smoothing"
    assert after.shape == image.shape
    assert after.dtype == np.float32
    assert np.array_equal(after, image) != concerned


def test_misalignment_moves_by_at_most_a_voxel() -> None:
    image = np.zeros((21, 23, 19), np.float32)
    image[10, 11, 9] = 1
    for seed in range(10):
        after = IMAGE_EFFECTS["misalignment"].change(image, SPACING, "T1w", 1.0, np.random.default_rng(seed))
        center = (np.argwhere(after > 0) * after[after > 0][:, None]).sum(0) / after.sum()
        assert 0 < np.abs(center - [10, 11, 9]).max() < 1


@pytest.mark.parametrize("name", HEAD_EFFECTS)
@pytest.mark.parametrize("seed", range(3))
def test_an_effect_left_out_changes_nothing_in_the_others(name: str, seed: int) -> None:
    assert drawn(Effects((seed, 1), {name})) == [
        entry for entry in drawn(Effects((seed, 1))) if entry[0] is not HEAD_EFFECTS[name].change
    ]


def drawn(effects: Effects) -> list[tuple[object, float, float]]:
    return [(change, strength, rng.random()) for change, strength, rng in effects._drawn(HEAD_EFFECTS)]


def test_a_head_without_effects_is_the_head(head: Head) -> None:
    assert Effects((3, 1), EFFECTS).on_head(head) is head


def test_contrasts_are_aligned_unless_asked() -> None:
    image = np.random.default_rng(0).uniform(1, 2, (8, 9, 7)).astype(np.float32)
    others = set(EFFECTS) - {"misalignment"}
    for misaligned in (False, True):
        moved = [
            (Effects((seed,), others, misaligned).on_image(image, SPACING, "T1w") != image).any() for seed in range(30)
        ]
        assert 0.2 < np.mean(moved) < 0.8 if misaligned else not any(moved)


def test_cortex_is_bright_by_milliliters_in_some_subjects_and_hardly_in_others(head: Head) -> None:
    milliliters = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        after = HEAD_EFFECTS["bright_cortex"].change(head, float(rng.uniform(0.2, 1.0)), rng)
        milliliters.append((after.tissues["bright_gray_matter"] > 0.6).sum() * 3.0**3 / 1000)
    assert np.quantile(milliliters, 0.2) < 5
    assert np.quantile(milliliters, 0.67) > 5


def test_rejects_an_unknown_effect() -> None:
    with pytest.raises(ValueError, match="no effect tail"):
        Effects((0, 1), ["tail"])


def test_non_lesions_count_as_plain_tissue_in_label_maps(head: Head) -> None:
    after = Effects((3, 1), ["loose_mask"]).on_head(head)
    plain = plain_tissues(after.tissues)
    assert set(plain) <= set(TISSUES)
    np.testing.assert_allclose(sum(plain.values()), sum(head.tissues.values()), atol=1e-4)


def test_a_dataset_without_effects_has_other_images_and_the_same_protocols_and_lesions(tmp_path: Path) -> None:
    without = {"all": (), "none": EFFECTS, "sharp": ["thick_slices", "ghosts"]}
    for key, names in without.items():
        simulate_dataset(tmp_path / key, n_subjects=1, seed=3, spacing=4.0, without=names)
    images = [load(tmp_path / key, "FLAIR") for key in without]
    assert (images[0] != images[1]).any()
    np.testing.assert_array_equal(load(tmp_path / "all", "T1w"), load(tmp_path / "sharp", "T1w"))
    sidecars = {next((tmp_path / key).rglob("sub-001_FLAIR.json")).read_text() for key in without}
    assert len(sidecars) == 1
    masks = [load(tmp_path / key, "label-lesion_mask") > 0 for key in without]
    assert (masks[0] & masks[1]).any()

"""Tests of transforms.plausible_contrasts."""

import json
import logging
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from mri_attention.transforms import LoadContrastsd
from mri_attention.transforms.plausible_contrasts import contrast_agent, swapped_contrasts
from tests.transforms.heads import CONTRASTS, save

TISSUES = {"T1w": (900.0, 600, 200), "T2w": (300.0, 450, 1200), "FLAIR": (400.0, 480, 60)}
"""Intensities of white matter, gray matter and fluid."""


def head() -> dict[str, np.ndarray]:
    """Shells of gray and white matter around ventricles."""
    generator = np.random.default_rng(0)
    distance = np.linalg.norm(np.stack(np.meshgrid(*[np.arange(40) - 19.5] * 3, indexing="ij")), axis=0)
    waves = distance + 2 * generator.normal(size=distance.shape)
    tissue = np.select([waves < 4.5, waves < 9, waves < 18], [3, 1, 2], 0)
    return {
        name: (np.array([0, *levels])[tissue] * generator.normal(1, 0.03, tissue.shape)).astype(np.float32)
        for name, levels in TISSUES.items()
    }


@pytest.mark.parametrize("order", permutations(CONTRASTS), ids="-".join)
def test_every_wrong_order_of_three_contrasts_is_found(order: tuple[str, ...]) -> None:
    images = head()
    found = swapped_contrasts({name: images[real] for name, real in zip(CONTRASTS, order, strict=True)})
    assert (found is None) == (order == CONTRASTS)


@pytest.mark.parametrize(("order", "is_swapped"), [(("T1w", "T2w"), False), (("T2w", "T1w"), True)])
def test_two_swapped_contrasts_are_found(order: tuple[str, ...], is_swapped: bool) -> None:
    images = head()
    found = swapped_contrasts({name: images[real] for name, real in zip(("T1w", "T2w"), order, strict=True)})
    assert found == (("T2w", "T1w") if is_swapped else None)


@pytest.mark.parametrize("shape", [(4, 4, 4), (20, 20, 20)])
def test_little_and_constant_images_tell_nothing(shape: tuple[int, ...]) -> None:
    assert swapped_contrasts({name: np.ones(shape, np.float32) for name in CONTRASTS}) is None


def load(folder: Path, images: dict[str, np.ndarray], caplog: pytest.LogCaptureFixture) -> list[str]:
    paths = {name: str(save(folder / f"sub-01_{name}.nii.gz", image)) for name, image in images.items()}
    with caplog.at_level(logging.WARNING):
        LoadContrastsd()({"image": paths})
    return [record.getMessage() for record in caplog.records]


def test_a_plausible_head_is_loaded_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load(tmp_path, head(), caplog) == []


def test_swapped_contrasts_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = head()
    (told,) = load(tmp_path, images | {"T1w": images["FLAIR"], "FLAIR": images["T1w"]}, caplog)
    assert "sub-01_T1w.nii.gz: looks less like the T1w than the FLAIR image does" in told


def test_one_file_given_three_times_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told = load(tmp_path, dict.fromkeys(CONTRASTS, head()["FLAIR"]), caplog)
    assert [line.partition(": ")[2].partition(";")[0] for line in told] == [
        "holds the same picture as the T1w image"
    ] * 2


def test_a_mask_given_as_image_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = head()
    told = load(tmp_path, images | {"T2w": (images["T2w"] > 0).astype(np.float32)}, caplog)
    assert any("sub-01_T2w.nii.gz: has two values only (0 and 1), as a mask has" in line for line in told)


@pytest.mark.parametrize("name", ["sub-1_ce-gadolinium_T1w", "BraTS20_001_t1ce", "T1_Gd_gad", "x_t1c"])
def test_names_tell_of_a_contrast_agent(name: str) -> None:
    assert contrast_agent(Path(f"{name}.nii.gz"))


@pytest.mark.parametrize("name", ["sub-01_T1w", "sub-ce1_acq-t1cube_T1w", "brigade_T1w"])
def test_other_names_do_not(name: str) -> None:
    assert not contrast_agent(Path(f"{name}.nii.gz"))


@pytest.mark.parametrize(("content", "agent"), [({"ContrastBolusAgent": "Gadovist"}, "Gadovist"), ({}, ""), ([], "")])
def test_a_sidecar_tells_of_a_contrast_agent(tmp_path: Path, content: object, agent: str) -> None:
    (tmp_path / "sub-01_T1w.json").write_text(json.dumps(content))
    assert contrast_agent(tmp_path / "sub-01_T1w.nii.gz") == agent


def test_a_broken_sidecar_tells_of_none(tmp_path: Path) -> None:
    (tmp_path / "sub-01_T1w.json").write_text("{")
    assert contrast_agent(tmp_path / "sub-01_T1w.nii.gz") == ""


def test_a_t1w_after_contrast_agent_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "sub-01_T1w.json").write_text('{"ContrastBolusAgent": "Dotarem"}')
    (told,) = load(tmp_path, head(), caplog)
    assert "sub-01_T1w.nii.gz: is a T1w after contrast agent (Dotarem)" in told


@pytest.mark.parametrize(("sizes", "told"), [((1, 1, 4), "1 x 1 x 4 mm"), ((1, 0.5, 0.5), None), ((2, 2, 2), None)])
def test_voxels_that_are_far_from_cubes_are_told_where_a_limit_is_set(
    sizes: tuple[float, ...], told: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = save(tmp_path / "sub-01_T1w.nii.gz", head()["T1w"], np.diag([*sizes, 1.0]))
    for thickest in (2.0, None):
        caplog.clear()
        LoadContrastsd("image", ["T1w"], "T1w", thickest=thickest)({"image": [str(file)]})
        messages = [record.getMessage().split(",")[0] for record in caplog.records]
        assert messages == ([f"{file}: voxels of {told}"] if told and thickest else [])

"""Tests of telling heads with skull from extracted brains."""

import logging
from pathlib import Path

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Orientation, SpatialCrop

from mri_attention.datasets import read_volume
from mri_attention.transforms import shows_skull, skull_signs
from mri_attention.transforms.skull import SkullSigns
from tests.transforms.skulls import head

logger = logging.getLogger(__name__)

REAL = Path(__file__).parents[3] / "shared" / "data"
WITH_SKULL = sorted(REAL.glob("multicontrast_2d*/sub-*/ses-*/anat/*.nii.gz"))
BRAINS = sorted(
    path
    for name in ("ms_lesions", "ms_lesions_more", "multicontrast", "multicontrast_more", "t1_more", "t1_single")
    for path in REAL.glob(f"{name}/sub-*/**/anat/*.nii.gz")
)


@pytest.mark.parametrize("skull", [True, False])
@pytest.mark.parametrize("level", [1e-3, 1.0, 1e4])
def test_skulls_are_seen_whatever_the_unit_of_intensities(skull: bool, level: float) -> None:
    assert shows_skull(head(skull, level=level)) == skull


@pytest.mark.parametrize("skull", [True, False])
@pytest.mark.parametrize("axcodes", ["LPS", "PIR", "ASL"])
def test_skulls_are_seen_in_every_orientation(skull: bool, axcodes: str) -> None:
    turned = Orientation(axcodes=axcodes, labels=None)(head(skull))
    assert shows_skull(turned) == skull


@pytest.mark.parametrize("skull", [True, False])
def test_noise_around_a_brain_is_no_skull(skull: bool) -> None:
    image = head(skull, noise=0.03)
    assert skull_signs(image).air > 0.5
    assert shows_skull(image) == skull


@pytest.mark.parametrize("skull", [True, False])
def test_half_a_head_is_enough(skull: bool) -> None:
    upper = SpatialCrop(roi_start=(0, 0, 14), roi_end=(60, 60, 44))(head(skull))
    assert shows_skull(upper) == skull


def test_nothing_is_said_where_no_ray_leaves_the_head() -> None:
    inner = SpatialCrop(roi_start=(22, 22, 18), roi_end=(38, 38, 26))(head())
    assert skull_signs(inner) is None
    assert not shows_skull(inner)


@pytest.mark.parametrize("value", [0.0, -1.0, 1.0])
def test_nothing_is_said_of_constant_images(value: float) -> None:
    image = head()
    assert skull_signs(MetaTensor(torch.full_like(image.as_tensor(), value), affine=image.affine)) is None


def told(path: Path) -> SkullSigns:
    """Measure a real head, and log what the table in the docs is made of."""
    signs = skull_signs(read_volume(path))
    assert signs is not None
    logger.info("%s: dip %.3f, air %.3f", path.relative_to(REAL), signs.dip, signs.air)
    return signs


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
@pytest.mark.parametrize("path", WITH_SKULL, ids=lambda path: path.name)
def test_real_heads_show_their_skull(path: Path) -> None:
    signs = told(path)
    assert signs.dip > 0.38
    assert signs.air > 0.1


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
@pytest.mark.parametrize("path", BRAINS, ids=lambda path: path.name)
def test_real_extracted_brains_show_none(path: Path) -> None:
    signs = told(path)
    assert signs.dip < 0.18
    assert signs.air < 0.02

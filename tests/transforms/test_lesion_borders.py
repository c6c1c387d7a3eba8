"""Lesions end where they are half as bright as in their middle, and none floods the brain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray
from scipy import ndimage

from mri_attention.transforms import GrowLesionsd, grow_to_half_maximum

SHAPE = (40, 44, 36)
CENTER = (20, 22, 18)


Mask = NDArray[np.bool_]
Image = NDArray[np.float32]


def ball(
    radius: float, center: tuple[int, int, int] = CENTER, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Mask:
    grid = np.ogrid[tuple(slice(n) for n in SHAPE)]
    squares = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, center, spacing, strict=True))
    return np.asarray(squares <= radius**2)


def head(lesion: Mask, contrast: float = 1.0, blur: float = 1.0) -> tuple[Image, Image]:
    """White matter of 1 with a blurred lesion; T1w and brain alike."""
    flair = 1 + contrast * ndimage.gaussian_filter(lesion.astype(np.float32), blur)
    t1w = 1 - 0.2 * lesion.astype(np.float32) + np.linspace(0, 0.1, SHAPE[0])[:, None, None]
    return flair.astype(np.float32), t1w.astype(np.float32)


def dice(a: Mask, b: Mask) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("contrast", [0.2, 1.0, 5.0])
def test_core_grows_to_the_border_before_blurring(contrast: float) -> None:
    truth = ball(6)
    grown = grow_to_half_maximum(ball(4.5), *head(truth, contrast))
    assert dice(ball(4.5), truth) < 0.7
    assert dice(grown, truth) > 0.97


def test_level_of_one_grows_less_than_a_low_level() -> None:
    flair, t1w = head(ball(6), blur=2.0)
    sizes = [grow_to_half_maximum(ball(5), flair, t1w, level=level).sum() for level in (0.2, 0.6, 0.95)]
    assert sizes[0] > sizes[1] > sizes[2] >= ball(5).sum()


def test_small_lesion_in_a_bright_sheet_stays_small() -> None:
    sheet = np.zeros(SHAPE, bool)
    sheet[CENTER[0] - 2 : CENTER[0] + 3] = True  # as bright cortex
    flair, t1w = head(sheet)
    seed = ball(2.5)
    grown = grow_to_half_maximum(seed, flair, t1w)
    radius = (seed.sum() * 3 / 4 / np.pi) ** (1 / 3)
    assert (ndimage.distance_transform_edt(~seed)[grown] <= radius / 2 + 1e-6).all()
    assert grow_to_half_maximum(seed, flair, t1w, reach=0.5).sum() == seed.sum()


def test_reach_is_in_millimeters() -> None:
    flair, t1w = np.ones(SHAPE, np.float32), np.ones(SHAPE, np.float32)
    flair[5:35, 5:39, 5:31] = 2.0
    flair[:, :2] = t1w[:, :2] = 1.1  # white matter away from it, brightest on T1w
    seed, spacing = ball(7, spacing=(1, 1, 3)), (1.0, 1.0, 3.0)
    grown = grow_to_half_maximum(seed, flair, t1w, spacing, reach=3.0)
    along = [np.flatnonzero(grown.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    assert [len(a) for a in along] == [15 + 2 * 3, 15 + 2 * 3, 5 + 2 * 1]


def test_what_is_not_connected_or_not_bright_stays_out() -> None:
    flair, t1w = head(ball(4, (12, 22, 18)) | ball(4, (28, 22, 18)), blur=0.5)
    grown = grow_to_half_maximum(ball(3, (12, 22, 18)), flair, t1w)
    assert not grown[20:].any()
    dark = head(ball(6), contrast=-0.5)
    assert (grow_to_half_maximum(ball(4), *dark) == ball(4)).all()


def test_each_lesion_has_its_own_level() -> None:
    first, second = ball(5, (12, 22, 18)), ball(5, (28, 22, 18))
    flair = head(first, 1.0)[0] + head(second, 4.0)[0] - 1
    seeds = ball(4, (12, 22, 18)) | ball(4, (28, 22, 18))
    grown = grow_to_half_maximum(seeds, flair, head(first)[1])
    assert dice(grown[:20], first[:20]) > 0.93
    assert dice(grown[20:], second[20:]) > 0.93


def test_nothing_to_grow_or_nothing_to_compare_with() -> None:
    flair, t1w = head(ball(6))
    assert not grow_to_half_maximum(np.zeros(SHAPE), flair, t1w).any()
    empty = np.zeros(SHAPE)
    assert (grow_to_half_maximum(ball(3), empty, empty) == ball(3)).all()
    assert (grow_to_half_maximum(np.ones(SHAPE), flair, t1w)).all()  # no white matter left


@pytest.mark.parametrize(
    ("options", "match"), [({"level": 0.0}, "level"), ({"level": 1.5}, "level"), ({"reach": -1.0}, "reach")]
)
def test_useless_options_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        grow_to_half_maximum(ball(3), *head(ball(6)), **options)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        grow_to_half_maximum(ball(3)[1:], *head(ball(6)))


def test_dictionary_version_takes_channels_and_spacing_from_the_image() -> None:
    flair, t1w = head(ball(6))
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    image = MetaTensor(np.stack([t1w, 0 * flair, flair]), affine=affine)
    mask = MetaTensor(ball(4)[None].astype(np.float32), affine=affine)
    out = GrowLesionsd("pred", reach=2.0)({"image": image, "pred": mask})["pred"]
    expected = grow_to_half_maximum(ball(4), flair, t1w, (1.0, 1.0, 3.0), reach=2.0)
    assert isinstance(out, MetaTensor)
    assert torch.equal(out[0].as_tensor(), torch.from_numpy(expected).float())
    assert (mask[0].numpy() == ball(4)).all()


def test_lesions_of_a_head_without_flair_stay_and_a_warning_tells(caplog: pytest.LogCaptureFixture) -> None:
    flair, t1w = head(ball(6))
    image = MetaTensor(np.stack([t1w, t1w, 0 * flair]), affine=np.eye(4), meta={"filename_or_obj": "T1w.nii"})
    mask = MetaTensor(ball(4)[None].astype(np.float32), affine=np.eye(4))
    assert torch.equal(GrowLesionsd("pred")({"image": image, "pred": mask})["pred"], mask)
    assert [record.getMessage() for record in caplog.records] == ["T1w.nii: lesions do not grow, which needs a FLAIR"]


def test_without_t1w_the_brain_stands_in_for_white_matter() -> None:
    truth = ball(6)
    flair, t1w = head(truth)
    grown = grow_to_half_maximum(ball(4.5), flair)
    assert dice(grown, truth) > 0.97
    image = MetaTensor(np.stack([0 * t1w, 0 * t1w, flair]), affine=np.eye(4))
    mask = MetaTensor(ball(4.5)[None].astype(np.float32), affine=np.eye(4))
    assert torch.equal(
        GrowLesionsd("pred")({"image": image, "pred": mask})["pred"][0].bool().as_tensor(), torch.from_numpy(grown)
    )

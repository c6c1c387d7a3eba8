"""Tests of scripts.running.visit_pairs on small images."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import InputError
from mri_attention.scripts.running.aligned_visits import AlignedVisit
from mri_attention.scripts.running.visit_pairs import compare_visits
from mri_attention.scripts.running.visits import Visit
from mri_attention.transforms.rigid_motion import RigidMotion

SHAPE = (24, 24, 20)


def image(values: np.ndarray) -> MetaTensor:
    return MetaTensor(torch.from_numpy(values.astype(np.float32))[None], affine=torch.eye(4, dtype=torch.float64))


def visit(session: str, flair: np.ndarray, brain: np.ndarray | None = None) -> AlignedVisit:
    motion = RigidMotion.of(np.eye(4), np.zeros(3))
    own = Visit("sub-1", session, {"FLAIR": f"{session}.nii"})
    return AlignedVisit(own, {"FLAIR": image(flair)}, motion, None if brain is None else image(brain))


@pytest.fixture
def head() -> np.ndarray:
    values = np.zeros(SHAPE)
    values[3:-3, 3:-3, 3:-3] = 100 + np.random.default_rng(0).normal(scale=10, size=(18, 18, 14))
    return values


def lesion(low: int, high: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[low:high, 8:12, 8:12] = True
    return mask


def test_brightness_of_a_visit_does_not_matter(head: np.ndarray) -> None:
    new = lesion(8, 12)
    later = 3 * np.where(new, 200, head)
    pair = compare_visits(visit("ses-1", head), visit("ses-2", later), (image(np.zeros(SHAPE)), image(new)))
    assert [change.name for change in pair.changes.changes] == ["new"]
    np.testing.assert_allclose(pair.images[0][~new], pair.images[1][~new], atol=2)
    assert pair.places == ["unknown"]


def test_a_lesion_that_only_its_mask_shows_is_uncertain(head: np.ndarray) -> None:
    noisy = np.where(head > 0, head + np.random.default_rng(1).normal(scale=5, size=SHAPE), 0)
    pair = compare_visits(visit("ses-1", head), visit("ses-2", noisy), (image(np.zeros(SHAPE)), image(lesion(8, 12))))
    assert [change.name for change in pair.changes.changes] == ["uncertain"]


@pytest.mark.parametrize("by_brain", [False, True])
def test_lesions_where_a_visit_has_no_image_are_left_out_and_told(
    by_brain: bool, head: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    cut = np.ones(SHAPE)
    cut[:10] = 0
    earlier = visit("ses-1", head, cut) if by_brain else visit("ses-1", head * cut)
    masks = image(lesion(8, 14)), image(lesion(8, 14))
    with caplog.at_level(logging.WARNING):
        pair = compare_visits(earlier, visit("ses-2", head), masks)
    assert "sub-1_ses-2: 33 % of the lesions' volume lies where one of two visits has no image" in caplog.text
    assert [change.earlier for change in pair.changes.changes] == [64]


def test_refuses_heads_without_common_tissue(head: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    left, right = head.copy(), head.copy()
    left[12:], right[:12] = 0, 0
    empty = image(np.zeros(SHAPE))
    with pytest.raises(InputError, match=r"ses-2.nii: shows no tissue that ses-1.nii shows too"):
        compare_visits(visit("ses-1", left), visit("ses-2", right), (empty, empty))
    assert caplog.messages == []  # of lesions, which there are none

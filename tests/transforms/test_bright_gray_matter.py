"""Gray matter that is brightened on FLAIR."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.transforms import RandBrightGrayMatterd

T1W, T2W, FLAIR = 0, 1, 2


@pytest.fixture
def case() -> dict[str, Tensor]:
    """White matter in one half, gray matter in the other with a lesion as gray as it, and air around."""
    image = torch.zeros(3, 24, 24, 24)
    image[:, 2:12, 2:22, 2:22] = torch.tensor([1.0, -0.5, 0.1]).view(3, 1, 1, 1)
    image[:, 12:22, 2:22, 2:22] = torch.tensor([-0.3, 0.4, 0.6]).view(3, 1, 1, 1)
    label = torch.zeros(1, 24, 24, 24)
    label[0, 15:19, 8:12, 8:12] = 1
    return {"image": image, "label": label}


def brighten(case: dict[str, Tensor], **options: float) -> Tensor:
    transform = RandBrightGrayMatterd(prob=1.0, amount=(1.0, 1.0), gray=(-0.3, -0.3), **options)
    transform.set_random_state(0)
    return transform(case)["image"] - case["image"]


def test_only_the_flair_changes(case: dict[str, Tensor]) -> None:
    change = brighten(case)
    assert change[FLAIR].abs().max() > 0.3
    assert not change[[T1W, T2W]].any()


def test_gray_matter_becomes_brighter_and_white_matter_hardly(case: dict[str, Tensor]) -> None:
    change = brighten(case)[FLAIR]
    gray, white = change[14:20, 14:20, 14:20], change[4:9, 4:20, 4:20]
    assert gray.mean() > 0.2
    assert white.abs().max() < 0.01


def test_lesions_and_air_stay_as_they_are(case: dict[str, Tensor]) -> None:
    change = brighten(case)[FLAIR]
    assert not change[case["label"][0] > 0].any()
    assert not change[case["image"][FLAIR] == 0].any()


def test_no_voxel_gets_more_than_the_amount(case: dict[str, Tensor]) -> None:
    change = brighten(case)[FLAIR]
    assert 0 <= change.min() <= change.max() <= 1.0 + 1e-5


def test_the_same_seed_gives_the_same(case: dict[str, Tensor]) -> None:
    assert torch.equal(brighten(case), brighten(case))


def test_it_is_done_with_its_probability(case: dict[str, Tensor]) -> None:
    transform = RandBrightGrayMatterd(prob=0.3)
    transform.set_random_state(0)
    done = sum(not torch.equal(transform(case)["image"], case["image"]) for _ in range(200))
    assert 40 <= done <= 80


def test_a_missing_t1w_brightens_nothing(case: dict[str, Tensor]) -> None:
    case["image"][T1W] = 0
    assert not brighten(case).any()

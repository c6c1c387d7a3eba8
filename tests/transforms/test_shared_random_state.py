"""Tests of transforms.shared_random_state, with the simulation of k-space for which it is made."""

from __future__ import annotations

import pickle
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, RandFlipd
from torch import Tensor

from mri_attention.operators import image_to_kspace, kspace_to_image
from mri_attention.transforms import (
    FourierTransformd,
    RandomMask,
    RandSmoothPhase,
    RandSmoothPhased,
    RicianNoise,
    RicianNoised,
    SharedRandomState,
    UndersampleKspaced,
    mask_mixture,
)
from mri_attention.transforms.masks import KspaceMask

IMAGE = torch.rand(1, 3, 32, 24, generator=torch.Generator().manual_seed(0))
SEVERAL = ["random", "radial", "poisson"]


def simulation(
    mask: Any, level: Any = 0.0, prob: float = 1.0, seed: int | None = None, unless: str | None = "image"
) -> SharedRandomState:
    steps = [
        RandSmoothPhased("label", prob=prob),
        RicianNoised("label", "image", level=level),
        FourierTransformd("image"),
        UndersampleKspaced("image", mask, source="kspace", mask_key="sampled"),
    ]
    return SharedRandomState(steps, seed, "label", unless)


def by_hand(image: Tensor, masks: list[KspaceMask], level: Any, prob: float, state: np.random.RandomState) -> Any:
    """Call the array transforms one after another, all with one random state."""
    complex_image = RandSmoothPhase(prob=prob).set_random_state(state=state)(image)
    kspace = image_to_kspace(RicianNoise(level).set_random_state(state=state)(complex_image))
    mask = masks[state.randint(len(masks))].set_random_state(state=state)(kspace.shape)
    return complex_image, kspace * mask, mask.expand(1, 1, *image.shape[-2:])


@pytest.mark.parametrize(("level", "prob"), [((0.0, 0.1), 0.5), (0.0, 1.0)])
def test_steps_draw_one_after_another_from_one_state(level: Any, prob: float) -> None:
    transform = simulation(mask_mixture(SEVERAL, [3, 6]), level, prob).set_random_state(5)
    state = np.random.RandomState(5)
    for _ in range(4):
        out = transform({"label": IMAGE})
        label, kspace, mask = by_hand(IMAGE, mask_mixture(SEVERAL, [3, 6]), level, prob, state)
        assert torch.equal(out["label"], label)
        assert torch.equal(out["image"], kspace)
        assert torch.equal(out["sampled"], mask)
    assert out.keys() == {"label", "image", "sampled"}


def test_seed_and_name_of_the_file_fix_what_is_drawn() -> None:
    scan = MetaTensor(IMAGE, meta={"filename_or_obj": "somewhere/sub-01_T2w.nii.gz"})
    transform = simulation([RandomMask(4)], 0.1, seed=3)
    transform({"label": IMAGE})
    out = transform({"label": scan})
    state = np.random.RandomState(zlib.crc32(b"3 sub-01_T2w.nii.gz"))
    complex_image = RandSmoothPhase().set_random_state(state=state)(IMAGE)
    kspace = image_to_kspace(RicianNoise(0.1).set_random_state(state=state)(complex_image))
    mask = RandomMask(4).set_random_state(state=state)(kspace.shape)
    assert torch.equal(out["image"].as_tensor(), kspace * mask)
    other = MetaTensor(IMAGE, meta={"filename_or_obj": "sub-02_T2w.nii.gz"})
    assert not torch.equal(transform({"label": other})["image"], out["image"])


def test_seed_fixes_everything_and_none_goes_on() -> None:
    for seed, is_equal in ((3, True), (None, False)):
        transform = simulation(RandomMask(4), seed=seed)
        first, second = (transform({"label": IMAGE})["sampled"] for _ in range(2))
        assert torch.equal(first, second) is is_equal


def test_a_chain_gives_it_the_seed_of_its_place() -> None:
    chain = Compose([RandFlipd("label", 0.5), simulation(RandomMask(4), 0.1)]).set_random_state(8)
    seeds = np.random.RandomState(8)
    flip = RandFlipd("label", 0.5).set_random_state(int(seeds.randint(2**32, dtype="uint32")))
    alone = simulation(RandomMask(4), 0.1).set_random_state(int(seeds.randint(2**32, dtype="uint32")))
    for _ in range(3):
        assert torch.equal(chain({"label": IMAGE})["image"], alone(flip({"label": IMAGE}))["image"])


def test_steps_share_the_state_in_another_process_too() -> None:
    transform = simulation(RandomMask(4), 0.1).set_random_state(2)
    again = pickle.loads(pickle.dumps(transform))
    assert torch.equal(again({"label": IMAGE})["image"], transform({"label": IMAGE})["image"])


def test_measured_kspace_is_left_alone() -> None:
    data = {"label": IMAGE, "image": "measured"}
    out = simulation(RandomMask(4), seed=0)(data)
    assert out == data
    assert out is not data


def test_full_mask_gives_the_image_with_its_phase() -> None:
    out = simulation(RandomMask(1, 0.0))({"label": IMAGE})
    torch.testing.assert_close(kspace_to_image(out["image"]), out["label"])
    torch.testing.assert_close(out["label"].abs(), IMAGE)
    assert out["sampled"].all()


def test_noise_is_in_kspace_and_not_in_the_target() -> None:
    out = simulation(RandomMask(2), 0.1, prob=0.0, seed=0)({"label": IMAGE})
    sampled = out["sampled"][0, 0, 0]
    assert not torch.equal(out["image"][..., sampled], image_to_kspace(IMAGE)[..., sampled])
    torch.testing.assert_close(out["label"].abs(), IMAGE)
    assert not out["image"][..., ~sampled].any()

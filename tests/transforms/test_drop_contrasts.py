"""Tests of transforms.drop_contrasts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose, RandShiftIntensityd

from mri_attention.transforms import RandDropContrasts, RandDropContrastsd

SETS = {"T1w+T2w+FLAIR": 0.5, "T1w+FLAIR": 0.3, "FLAIR": 0.2}


def image(missing: str = "") -> MetaTensor:
    values = torch.rand(3, 4, 5, 6, generator=torch.Generator().manual_seed(0)) + 1
    return MetaTensor(values, meta={"missing": missing})


def there(x: torch.Tensor) -> str:
    return "+".join(name for name, channel in zip(("T1w", "T2w", "FLAIR"), x, strict=True) if channel.any())


def drawn(n: int, missing: str = "", **options: Any) -> Counter[str]:
    drop = RandDropContrasts(**options)
    drop.set_random_state(0)
    return Counter(there(drop(image(missing))) for _ in range(n))


def test_sets_are_drawn_by_their_weights() -> None:
    counts = drawn(400, sets=SETS)
    assert counts.keys() == SETS.keys()
    assert all(counts[name] / 400 == pytest.approx(weight, abs=0.07) for name, weight in SETS.items())


def test_each_optional_contrast_is_left_out_with_its_own_probability() -> None:
    counts = drawn(400, prob={"T1w": 0.2, "T2w": 0.5})
    assert sum(n for name, n in counts.items() if "T1w" not in name) / 400 == pytest.approx(0.2, abs=0.07)
    assert sum(n for name, n in counts.items() if "T2w" not in name) / 400 == pytest.approx(0.5, abs=0.07)
    assert all("FLAIR" in name for name in counts)
    assert drawn(20, prob=1.0) == {"FLAIR": 20}


def test_without_probability_or_sets_nothing_happens() -> None:
    x = image()
    assert RandDropContrasts()(x) is x


@pytest.mark.parametrize("options", [{"prob": 1.0}, {"sets": {"T1w": 1.0}}])
def test_required_contrasts_stay_in_any_set(options: dict[str, Any]) -> None:
    assert all("FLAIR" in name for name in drawn(5, **options))


def test_the_only_contrast_that_is_there_is_never_left_out() -> None:
    assert drawn(20, missing="T1w\nFLAIR", prob=1.0) == {"T2w": 20}
    assert drawn(20, missing="T2w", sets={"T2w": 1.0}, required=()) == {"T1w+FLAIR": 20}


def test_what_other_transforms_put_into_missing_contrasts_is_taken_out_again() -> None:
    shift = RandShiftIntensityd(keys="image", prob=1.0, offsets=(0.5, 1.0), channel_wise=True)
    steps = Compose([shift, RandDropContrastsd(keys="image")])
    x = image(missing="T2w")
    x[1] = 0
    shifted = steps({"image": x})["image"]
    assert there(shifted) == "T1w+FLAIR"
    assert (shifted[0] > x[0]).all()
    assert not x[1].any()


def test_input_and_geometry_stay() -> None:
    x, affine = image(), torch.diag(torch.tensor([2.0, 3.0, 4.0, 1.0]))
    x.affine = affine
    dropped = RandDropContrastsd(keys="image", prob=1.0)({"image": x})["image"]
    assert torch.equal(dropped.affine, x.affine)
    assert there(x) == "T1w+T2w+FLAIR"
    assert torch.equal(dropped[2], x[2])


def test_same_state_same_draws_which_serve_all_keys() -> None:
    drop = RandDropContrastsd(keys=["a", "b"], sets=SETS)
    runs = []
    for _ in range(2):
        drop.set_random_state(3)
        outs = [drop({"a": image(), "b": image()}) for _ in range(20)]
        assert all(there(out["a"]) == there(out["b"]) for out in outs)
        runs.append([there(out["a"]) for out in outs])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 1


def test_missing_contrasts_survive_the_collation_of_a_batch() -> None:
    batch = list_data_collate([{"image": image("T2w")}, {"image": image()}])
    assert batch["image"].meta["missing"] == ["T2w", ""]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"required": ["PD"]}, "PD is not among contrasts"),
        ({"sets": {"T1w+T2*": 1.0}}, r"T2\* is not among contrasts"),
        ({"sets": {"FLAIR": -1.0, "T1w": 2.0}}, "must not be negative"),
        ({"sets": {"FLAIR": 0.0}}, "nor all zero"),
        ({"prob": 1.5}, "prob must be from 0 to 1"),
        ({"prob": {"FLAIR": 0.5}}, "of contrasts that are not required"),
    ],
)
def test_rejects_what_cannot_be_drawn(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RandDropContrasts(**options)


def test_rejects_an_image_of_other_channels() -> None:
    with pytest.raises(ValueError, match="a channel per contrast, got 2"):
        RandDropContrasts()(image()[:2])

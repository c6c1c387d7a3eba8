from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from mri_attention.transforms import KeepWhiteMatterLesionsd, keep_white_matter_lesions

SHAPE = (40, 36, 32)
CORTEX = slice(0, 14)  # along x; white matter from there to 34, then fluid
IN_WHITE = (slice(22, 26), slice(16, 20), slice(14, 18))
IN_CORTEX = (slice(4, 8), slice(16, 20), slice(14, 18))


def head(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """FLAIR and T1w: cortex gray and a little brighter on the FLAIR, white matter, and fluid."""
    rng = np.random.default_rng(seed)
    t1w, flair = np.full(SHAPE, 1.0, np.float32), np.full(SHAPE, 1.0, np.float32)
    t1w[CORTEX], flair[CORTEX] = 0.6, 1.5
    t1w[34:], flair[34:] = 0.2, 0.2
    noise = rng.normal(0, 0.05, (2, *SHAPE)).astype(np.float32)
    return flair + 2 * noise[0], t1w + noise[1]


def mask(*places: tuple[slice, ...]) -> NDArray[np.bool_]:
    lesions = np.zeros(SHAPE, bool)
    for place in places:
        lesions[place] = True
    return lesions


def test_bright_cortex_goes_and_a_lesion_of_white_matter_stays() -> None:
    flair, t1w = head()
    flair[IN_WHITE] = 2.0
    flair[IN_CORTEX] = 2.0
    kept = keep_white_matter_lesions(mask(IN_WHITE, IN_CORTEX), flair, t1w)
    np.testing.assert_array_equal(kept, mask(IN_WHITE))


def test_white_matter_of_usual_brightness_is_no_lesion() -> None:
    flair, t1w = head()
    assert not keep_white_matter_lesions(mask(IN_WHITE), flair, t1w).any()
    assert keep_white_matter_lesions(mask(IN_WHITE), flair, t1w, deviations=-1.0).any()


def test_share_of_white_matter_decides_at_its_border() -> None:
    """The part of white matter around a lesion that cortex touches is between a third and all of it."""
    flair, t1w = head()
    place = (slice(14, 18), slice(16, 20), slice(14, 18))
    flair[place] = 3.0
    assert keep_white_matter_lesions(mask(place), flair, t1w, share=0.3).any()
    assert not keep_white_matter_lesions(mask(place), flair, t1w, share=0.9).any()


@pytest.mark.parametrize(("factor", "offset"), [(100.0, 0.0), (0.01, 0.0), (1.0, 10.0)])
def test_units_do_not_matter(factor: float, offset: float) -> None:
    flair, t1w = head()
    flair[IN_WHITE] = 2.0
    lesions = mask(IN_WHITE, IN_CORTEX)
    scaled = keep_white_matter_lesions(lesions, factor * flair + offset, factor * t1w + offset)
    np.testing.assert_array_equal(scaled, keep_white_matter_lesions(lesions, flair, t1w))


def test_commutes_with_flips() -> None:
    flair, t1w = head()
    flair[IN_WHITE] = 2.0
    lesions = mask(IN_WHITE, IN_CORTEX)
    flipped = keep_white_matter_lesions(lesions[::-1], flair[::-1], t1w[::-1])
    np.testing.assert_array_equal(flipped[::-1], keep_white_matter_lesions(lesions, flair, t1w))


@pytest.mark.parametrize("t1w", [np.zeros(SHAPE), np.ones(SHAPE)], ids=["empty", "constant"])
def test_without_three_tissues_nothing_is_dropped(t1w: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(keep_white_matter_lesions(mask(IN_WHITE), t1w, t1w), mask(IN_WHITE))


def test_empty_mask_stays_empty() -> None:
    assert not keep_white_matter_lesions(mask(), *head()).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.0}, "share must be"),
        ({"share": -0.1}, "share must be"),
        ({"margin": 0.0}, "margin positive"),
        ({"flair": np.zeros((2, 2, 2))}, "shapes differ"),
    ],
)
def test_unusable_arguments_are_refused(options: dict[str, object], message: str) -> None:
    flair, t1w = head()
    arguments: dict[str, object] = {"lesions": mask(IN_WHITE), "flair": flair, "t1w": t1w} | options
    with pytest.raises(ValueError, match=message):
        keep_white_matter_lesions(**arguments)  # type: ignore[arg-type]


def test_dictionary_version_takes_channels_and_spacing_from_the_image() -> None:
    flair, t1w = head()
    flair[IN_WHITE] = 2.0
    image = MetaTensor(torch.from_numpy(np.stack([flair, t1w])), affine=torch.eye(4, dtype=torch.float64))
    lesions = MetaTensor(torch.from_numpy(mask(IN_WHITE, IN_CORTEX)[None]).float())
    transform = KeepWhiteMatterLesionsd("pred", flair_channel=0, t1w_channel=1)
    kept = transform({"image": image, "pred": lesions})["pred"]
    assert kept.dtype == torch.float32
    np.testing.assert_array_equal(kept[0].numpy() > 0, mask(IN_WHITE))
    np.testing.assert_array_equal(lesions[0].numpy() > 0, mask(IN_WHITE, IN_CORTEX))

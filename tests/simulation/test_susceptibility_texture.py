"""Tests of simulation.susceptibility_texture."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mri_attention.simulation.susceptibility_texture import power_law_fields, tissue_texture

SHAPE, SIZE = (48, 44, 40), (1.0, 1.0, 1.0)


def radial_slope(field: np.ndarray, size: tuple[float, ...], band: tuple[float, float]) -> float:
    """Slope of the power over the frequency, both logarithmic, over all frequencies of a band (per mm)."""
    power = np.abs(np.fft.fftn(field)) ** 2
    axes = np.meshgrid(*(np.fft.fftfreq(n, s) for n, s in zip(field.shape, size, strict=True)), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    edges = np.geomspace(*band, 12)
    bins = [(radius >= low) & (radius < high) for low, high in pairwise(edges)]
    middles = [np.log(radius[b]).mean() for b in bins]
    return float(np.polyfit(middles, [np.log(power[b].mean()) for b in bins], 1)[0])


def boxes() -> dict[str, np.ndarray]:
    white = np.zeros(SHAPE, np.float32)
    white[:24] = 1
    return {"white_matter": white, "gray_matter": 1 - white}


@pytest.mark.parametrize("slope", [0.0, 2.0, 3.4])
@pytest.mark.parametrize("size", [SIZE, (1.0, 1.0, 2.0)])
def test_power_falls_with_the_frequency_by_its_slope(slope: float, size: tuple[float, ...]) -> None:
    fields = power_law_fields((64, 60, 54), size, np.random.default_rng(0), 3, slope)
    found = [radial_slope(field, size, (0.07, 0.24)) for field in fields]
    assert np.mean(found) == pytest.approx(-slope, abs=0.15)


def test_fields_have_unit_spread_and_differ() -> None:
    fields = power_law_fields(SHAPE, SIZE, np.random.default_rng(0), 2, 3.0)
    np.testing.assert_allclose(fields.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(fields.std((1, 2, 3)), 1, rtol=1e-4)
    assert abs(np.corrcoef(fields.reshape(2, -1))[0, 1]) < 0.5


def test_each_tissue_has_its_spread_and_no_mean() -> None:
    tissues = boxes()
    spreads = {"white_matter": 0.01, "gray_matter": 0.03}
    texture = tissue_texture(tissues, spreads, SIZE, np.random.default_rng(0))
    for name, fraction in tissues.items():
        assert texture[fraction > 0].std() == pytest.approx(spreads[name], rel=1e-3)
        assert texture[fraction > 0].mean() == pytest.approx(0, abs=1e-6)


def test_shared_voxels_have_their_shares_of_texture() -> None:
    white = np.full(SHAPE, 0.25, np.float32)
    texture = tissue_texture({"white_matter": white}, {"white_matter": 0.02}, SIZE, np.random.default_rng(0))
    assert texture.std() == pytest.approx(0.25 * 0.02, rel=1e-3)


def test_without_a_spread_there_is_no_texture() -> None:
    none = {"white_matter": 0.0, "gray_matter": 0.0}
    assert not tissue_texture(boxes(), none, SIZE, np.random.default_rng(0)).any()


def mean_over_subjects(name: str, axis: int) -> np.ndarray:
    """Mean profile along an axis of the texture of a box of a tissue, inside of white matter."""
    inside = np.zeros(SHAPE, np.float32)
    inside[16:32, 14:30, 14:26] = 1
    tissues = {"white_matter": 1 - inside, name: inside}
    maps = [
        tissue_texture(tissues, dict.fromkeys(tissues, 1.0), SIZE, np.random.default_rng(seed)) for seed in range(12)
    ]
    return np.mean(maps, axis=0)[16:32, 14:30, 14:26].mean(tuple({0, 1, 2} - {axis}))


def test_the_putamen_has_more_at_its_back() -> None:
    profile = mean_over_subjects("putamen", 1)
    assert profile[:5].mean() > profile[-5:].mean() + 0.5


def test_the_cortex_has_more_where_white_matter_is_near() -> None:
    profile = mean_over_subjects("gray_matter", 0)
    assert (profile[0] + profile[-1]) / 2 > profile[6:10].mean() + 0.2


def test_texture_takes_up_the_image() -> None:
    rng = np.random.default_rng(0)
    image = power_law_fields(SHAPE, SIZE, rng, 1, 2.0)[0] * 100 + 500
    texture = tissue_texture(boxes(), {"white_matter": 0.01, "gray_matter": 0.01}, SIZE, rng, image)
    for fraction in boxes().values():
        inside = fraction > 0
        assert abs(np.corrcoef(texture[inside], image[inside])[0, 1]) > 0.5

"""Tests of simulation.susceptibility, simulation.susceptibility_sources and simulation.local_field."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mri_attention.operators import DipoleConvolution
from mri_attention.simulation.local_field import erode, simulate_local_field, sources_around
from mri_attention.simulation.susceptibility import SUSCEPTIBILITIES, simulate_susceptibility
from mri_attention.simulation.susceptibility_sources import Ellipsoid, draw_blobs, lesion_rims, shares_of
from mri_attention.simulation.tissues import TISSUES
from mri_attention.transforms.field_noise import noise_level

SHAPE, SIZE = (40, 36, 32), (1.5, 1.5, 2.0)


def ball(radius: float, center: tuple[float, ...] = (0, 0, 0)) -> np.ndarray:
    """A ball (mm) about the middle of the grid."""
    axes = [(np.arange(n) - (n - 1) / 2) * size for n, size in zip(SHAPE, SIZE, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), -1) - np.array(center)
    return np.linalg.norm(places, axis=-1) < radius


def tissues() -> dict[str, np.ndarray]:
    csf, white, pallidum = ball(26), ball(22), ball(7)
    maps = {"csf": csf & ~white, "white_matter": white & ~pallidum, "pallidum": pallidum}
    return {name: mask.astype(np.float32) for name, mask in maps.items()}


def simulate(seed: int = 0, **options: object) -> np.ndarray:
    return simulate_susceptibility(tissues(), SIZE, np.random.default_rng(seed), **options)


def test_every_tissue_of_the_simulator_has_a_susceptibility() -> None:
    assert set(SUSCEPTIBILITIES) == set(TISSUES)


def test_tissues_have_their_means_relative_to_fluid() -> None:
    """Over subjects; medians, which small sources do not move."""
    fractions = tissues()
    for name in ("white_matter", "pallidum", "csf"):
        medians = [np.median(simulate(seed)[fractions[name] > 0]) for seed in range(12)]
        expected = SUSCEPTIBILITIES[name].mean - SUSCEPTIBILITIES["csf"].mean
        spread = np.hypot(SUSCEPTIBILITIES[name].between, SUSCEPTIBILITIES["csf"].between)
        assert np.mean(medians) == pytest.approx(expected, abs=spread + 0.003)


def test_outside_is_zero_and_values_are_ppm() -> None:
    chi = simulate()
    assert chi.dtype == np.float32
    assert not chi[~ball(26)].any()
    assert 0.01 < chi[ball(26)].std() < 0.3
    assert np.abs(chi).max() < 5


def test_reference_may_be_the_mean() -> None:
    chi = simulate(reference="mean")
    assert abs(chi[ball(26)].mean()) < 1e-6
    assert not chi[~ball(26)].any()


def test_is_fixed_by_its_generator_and_leaves_its_input() -> None:
    fractions = tissues()
    first = simulate_susceptibility(fractions, SIZE, np.random.default_rng(3))
    np.testing.assert_array_equal(first, simulate(3))
    assert (first != simulate(4)).any()
    for name, fraction in tissues().items():
        np.testing.assert_array_equal(fractions[name], fraction)


def test_lesions_get_rims_only_at_their_border() -> None:
    lesion = ball(8)
    rims = [lesion_rims(lesion, SIZE, np.random.default_rng(seed)) for seed in range(40)]
    share = np.mean([rim.any() for rim in rims])
    assert 0.1 < share < 0.55
    depth = ndimage.distance_transform_edt(lesion, sampling=SIZE)
    for rim in rims:
        assert not rim[depth > 1.5].any()
        assert not rim[~lesion].any()
        assert rim.min() >= 0


def test_small_lesions_have_no_rim() -> None:
    speck = ball(2)
    assert not any(lesion_rims(speck, SIZE, np.random.default_rng(seed)).any() for seed in range(20))


def test_lesion_rims_are_added_to_the_map() -> None:
    white = {"white_matter": ball(22).astype(np.float32)}
    lesions = ball(4, (8, 0, 0)) | ball(4, (-8, 0, 0)) | ball(4, (0, 10, 0))
    maps = [simulate_susceptibility(white, SIZE, np.random.default_rng(2), lesions=m) for m in (lesions, None)]
    difference = maps[0] - maps[1]
    assert difference.any()
    assert not difference[~lesions].any()


@pytest.mark.parametrize(("axes", "core"), [((5.0, 5.0, 5.0), 0.0), ((8.0, 6.0, 4.0), 0.0), ((8.0, 8.0, 8.0), 0.6)])
def test_ellipsoids_have_their_volume(axes: tuple[float, ...], core: float) -> None:
    turn = Rotation.from_rotvec([0.3, 0.5, -0.2]).as_matrix()
    box, shares = shares_of(Ellipsoid(np.array([20.2, 17.7, 15.1]), np.array(axes), turn, core), SHAPE, SIZE)
    assert np.zeros(SHAPE)[box].shape == shares.shape
    assert shares.min() == 0
    assert shares.sum() * np.prod(SIZE) == pytest.approx(4 / 3 * np.pi * np.prod(axes) * (1 - core**3), rel=0.1)


def test_blobs_lie_in_their_mask() -> None:
    brain = ball(22)
    blobs = draw_blobs(brain, np.random.default_rng(0), 5, (2.0, 4.0))
    assert len(blobs) == 5
    assert all(brain[tuple(blob.center.astype(int))] for blob in blobs)
    assert not draw_blobs(np.zeros(SHAPE, bool), np.random.default_rng(0), 5, (2.0, 4.0))


def test_small_sources_can_be_left_out() -> None:
    with_sources, without = simulate(), simulate(sources=False)
    assert np.abs(with_sources).max() > np.abs(without).max()
    assert np.mean(with_sources != without) < 0.3


def test_without_texture_and_sources_a_tissue_has_one_value() -> None:
    chi = simulate(texture=0.0, sources=False)
    for fraction in tissues().values():
        assert np.ptp(chi[fraction > 0]) < 1e-6


def test_texture_has_its_spread_and_leaves_the_means() -> None:
    flat, textured = simulate(texture=0.0, sources=False), simulate(sources=False)
    for name, fraction in tissues().items():
        inside = fraction > 0
        assert textured[inside].mean() == pytest.approx(flat[inside].mean(), abs=1e-5)
        assert textured[inside].std() == pytest.approx(SUSCEPTIBILITIES[name].within, rel=1e-3)


def test_local_field_is_that_of_the_brain_alone() -> None:
    chi, brain = simulate(), ball(22)
    field, mask = simulate_local_field(chi, brain, SIZE, (0, 0.6, 0.8), np.random.default_rng(0), snr=None)
    expected = DipoleConvolution(SHAPE, SIZE, (0, 0.6, 0.8))(torch.from_numpy(chi * brain)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(field, expected * brain, atol=1e-7)
    np.testing.assert_array_equal(mask, brain)


def test_erosion_takes_the_border_but_not_its_sources() -> None:
    chi, brain, rng = simulate(), ball(22), np.random.default_rng(0)
    field, mask = simulate_local_field(chi, brain, SIZE, (0, 0, 1), rng, snr=None, erosion=4.0)
    whole, _ = simulate_local_field(chi, brain, SIZE, (0, 0, 1), rng, snr=None)
    assert mask.sum() < brain.sum()
    assert not mask[~ball(19)].any()
    assert mask[ball(17)].all()
    np.testing.assert_array_equal(field, whole * mask)


def test_background_has_its_size_and_is_nearly_harmonic() -> None:
    """A field of sources outside has a Laplacian of zero, here up to what a band-limited kernel rings."""
    shape, size, chi = (48, 44, 40), (1.5, 1.5, 1.5), np.zeros((48, 44, 40))
    places = (np.indices(shape) - (np.array(shape) - 1)[:, None, None, None] / 2) * 1.5
    brain = np.linalg.norm(places, axis=0) < 20
    options = {"snr": None, "background": 0.002}
    field, mask = simulate_local_field(chi, brain, size, (0, 0.6, 0.8), np.random.default_rng(0), **options)
    assert np.sqrt((field[mask] ** 2).mean()) == pytest.approx(0.002, rel=1e-4)
    deep = erode(brain, size, 5.0)
    parts = [np.gradient(np.gradient(field, axis=axis), axis=axis)[deep] for axis in range(3)]
    assert np.abs(sum(parts)).mean() < 0.35 * np.abs(parts).mean()


def test_background_lies_outside_of_the_brain() -> None:
    brain = ball(18)
    sources = sources_around(brain, SIZE, np.random.default_rng(0))
    assert not sources[brain].any()
    assert sources.any()


def test_noise_grows_where_the_magnitude_falls() -> None:
    brain, magnitude = ball(22), np.where(np.indices(SHAPE)[0] < 20, 0.4, 1.0)
    noisy, clean = (
        simulate_local_field(
            simulate(), brain, SIZE, (0, 0, 1), np.random.default_rng(0), snr=snr, magnitude=magnitude
        )[0]
        for snr in (60.0, None)
    )
    for level in (0.4, 1.0):
        inside = brain & (magnitude == level)
        assert (noisy - clean)[inside].std() == pytest.approx(noise_level(60.0) / level, rel=0.06)


def test_noise_has_its_level_and_is_fixed_by_the_generator() -> None:
    brain = ball(22)
    noisy, clean, again = (
        simulate_local_field(simulate(), brain, SIZE, (0, 0, 1), np.random.default_rng(0), snr=snr)[0]
        for snr in (30.0, None, 30.0)
    )
    assert (noisy - clean)[brain].std() == pytest.approx(noise_level(30.0), rel=0.05)
    np.testing.assert_array_equal(noisy, again)


def test_erosion_knows_the_end_of_the_volume() -> None:
    assert not erode(np.ones((5, 5, 5), bool), (1.0, 1.0, 1.0), 1.0)[0].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: simulate_susceptibility({"gold": np.ones(SHAPE)}, SIZE, rng), "no susceptibility of gold"),
        (lambda rng: simulate_susceptibility({}, SIZE, rng), "tissues must be at least one"),
        (
            lambda rng: simulate_susceptibility({"csf": np.ones((2, 2, 2)), "fat": np.ones((2, 2, 3))}, SIZE, rng),
            r"shapes \[\(2, 2, 2\), \(2, 2, 3\)\]",
        ),
        (lambda rng: simulate_susceptibility(tissues(), SIZE, rng, reference="air"), "got 'air'"),
        (lambda rng: erode(ball(9), SIZE, -1.0), "erosion must not be negative, got -1.0"),
        (lambda rng: erode(ball(9), SIZE, 20.0), "leaves nothing of the mask"),
    ],
)
def test_rejects(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))

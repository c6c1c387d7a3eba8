"""Tests of simulation.susceptibility_nuclei."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mri_attention.simulation.susceptibility import simulate_susceptibility
from mri_attention.simulation.susceptibility_nuclei import LANDMARKS, NUCLEI, place_nuclei

SHAPE, SIZE = (60, 80, 56), (1.5, 1.5, 1.5)
MIDDLE = np.array([44.0, 75.0, 55.0])  # mm, where the template's origin lies


def head(degrees: float = 0.0, scale: float = 1.0) -> tuple[dict[str, np.ndarray], Rotation]:
    """White matter with balls where the template has nuclei, turned about the axis from side to side."""
    turn = Rotation.from_euler("x", degrees, degrees=True)
    places = np.moveaxis(np.indices(SHAPE), 0, -1) * np.array(SIZE)
    fractions = {}
    for name, center in LANDMARKS.items():
        both = [turn.apply(np.multiply(center, (side, 1, 1))) * scale + MIDDLE for side in (-1, 1)]
        fractions[name] = np.any([np.linalg.norm(places - one, axis=-1) < 4 for one in both], axis=0)
    white = ~np.any(list(fractions.values()), axis=0)
    return {name: f.astype(np.float32) for name, f in (fractions | {"white_matter": white}).items()}, turn


@pytest.mark.parametrize(("degrees", "scale"), [(0.0, 1.0), (12.0, 0.9)])
def test_nuclei_lie_where_the_template_has_them(degrees: float, scale: float) -> None:
    fractions, turn = head(degrees, scale)
    placed = place_nuclei(fractions, SIZE, np.random.default_rng(0))
    assert placed is not None
    expected = [turn.apply(np.multiply(n.center, (s, 1, 1))) * scale + MIDDLE for n in NUCLEI.values() for s in (-1, 1)]
    for (nucleus, _), center in zip(placed, expected, strict=True):
        np.testing.assert_allclose(nucleus.center * SIZE, center, atol=4)


def test_nuclei_have_their_susceptibility_over_subjects() -> None:
    fractions, _ = head()
    values = np.array(
        [[v for _, v in place_nuclei(fractions, SIZE, np.random.default_rng(s)) or []] for s in range(60)]
    )
    expected = np.repeat([n.susceptibility for n in NUCLEI.values()], 2)
    np.testing.assert_allclose(values.mean(0), expected, atol=0.02)


def test_without_landmarks_there_is_nothing_to_place_by() -> None:
    fractions, _ = head()
    del fractions["putamen"]
    assert place_nuclei(fractions, SIZE, np.random.default_rng(0)) is None


def test_the_map_has_a_red_nucleus_where_its_label_map_has_none() -> None:
    fractions, _ = head()
    rng = np.random.default_rng(0)
    chi = simulate_susceptibility(fractions, SIZE, rng, texture=0.0)
    center = np.round((np.array(NUCLEI["red_nucleus"].center) + MIDDLE) / SIZE).astype(int)
    around = chi[tuple(slice(c - 2, c + 3) for c in center)]
    assert np.percentile(around, 80) > np.median(chi) + 0.06

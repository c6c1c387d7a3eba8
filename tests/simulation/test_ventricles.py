"""Tests of simulation.ventricles: ventricles are told from the fluid around them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mri_attention.simulation.ventricles import find_ventricles

X, Y, Z = np.ogrid[-50:51:2, -80:61:2, -30:51:2].__iter__()


def ball(center: tuple[float, float, float], radii: tuple[float, float, float]) -> NDArray[np.bool_]:
    offsets = zip((X, Y, Z), center, radii, strict=True)
    return sum(((axis - middle) / radius) ** 2 for axis, middle, radius in offsets) <= 1


def found(fluid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return find_ventricles(fluid.astype(np.float32), X, Y, Z) > 0


VENTRICLES = ball((13, -10, 16), (7, 20, 9)) | ball((-13, -10, 16), (7, 20, 9))


def test_ventricles_of_both_sides_are_found_whole() -> None:
    np.testing.assert_array_equal(found(VENTRICLES), VENTRICLES)


@pytest.mark.parametrize(
    ("center", "radii"),
    [
        ((0, -5, -18), (16, 16, 9)),
        ((0, -36, 0), (20, 8, 10)),
        ((36, 4, 4), (6, 24, 12)),
        ((0, 40, 20), (5, 14, 20)),
        ((0, 0, 44), (5, 50, 8)),
    ],
    ids=["basal cistern", "quadrigeminal cistern", "Sylvian fissure", "fissure in front", "fissure above"],
)
def test_fluid_around_stays_out_though_a_cleft_connects_it(
    center: tuple[float, float, float], radii: tuple[float, float, float]
) -> None:
    outer = ball(center, radii) & ~VENTRICLES
    line = np.linspace((13, -10, 16), center, 200)
    cleft = np.zeros_like(outer)
    cleft[tuple(np.round((line - [X.min(), Y.min(), Z.min()]) / 2).astype(int).T)] = True
    result = found(VENTRICLES | outer | cleft)
    assert (result & VENTRICLES).sum() == VENTRICLES.sum()
    assert (result & outer).sum() < 0.05 * outer.sum()


def test_small_pools_are_no_ventricles() -> None:
    assert not found(ball((13, -10, 16), (5, 5, 5))).any()

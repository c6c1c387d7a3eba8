"""Parts of a brain that is drawn: an ellipsoid with fluid around, gray rim, white matter, two ventricles."""

import numpy as np
import pytest

from mri_attention.metrics.brain_parts import find_brain_parts

SPACING = 2.0
AFFINE = np.diag([SPACING, SPACING, SPACING, 1.0])
AFFINE[:3, 3] = (-90, -126, -72)


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    shape = (90, 108, 90)
    x, y, z = (AFFINE[a, a] * i + AFFINE[a, 3] for a, i in enumerate(np.ogrid[tuple(map(slice, shape))]))
    radius = np.sqrt((x / 70) ** 2 + ((y + 17) / 87) ** 2 + ((z - 12) / 68) ** 2)
    ventricles = np.sqrt(((abs(x) - 10) / 7) ** 2 + ((y + 5) / 30) ** 2 + ((z - 14) / 9) ** 2) < 1
    gray = (radius > 0.9) & (radius < 0.96)
    fluid = ((radius >= 0.96) & (radius < 1)) | ventricles
    t1w = np.where(radius < 0.9, 1000.0, np.where(gray, 700.0, 0))
    flair = np.where(radius < 0.9, 500.0, np.where(gray, 620.0, 0))
    t1w[fluid], flair[fluid] = 250, 100
    noise = np.random.default_rng(0).normal(0, 15, shape) * (radius < 1)
    bias = 1 + 0.2 * x / 70
    images = {"T1w": (t1w + noise) * bias, "FLAIR": (flair + noise) * bias}
    return {name: image.astype(np.float32) for name, image in images.items()} | {
        "ventricles": ventricles,
        "cortex": gray & (z > 0),
    }


def volume_overlap(found: np.ndarray, affine: np.ndarray, truth: np.ndarray) -> float:
    """Return the Dice coefficient at the voxels of ``truth``."""
    voxels = np.indices(truth.shape).reshape(3, -1)
    matrix = np.linalg.solve(affine, AFFINE)
    places = (matrix[:3, :3] @ voxels + matrix[:3, 3:]).round().astype(int)
    inside = ((places >= 0) & (places < np.array(found.shape)[:, None])).all(0)
    values = np.zeros(inside.size, bool)
    values[inside] = found[tuple(places[:, inside])]
    return 2 * (values & truth.ravel()).sum() / (values.sum() + truth.sum())


@pytest.mark.slow
@pytest.mark.parametrize("names", [("T1w", "FLAIR"), ("FLAIR",), ("T1w",)])
def test_finds_ventricles_and_cortex_under_a_bias_field(drawn: dict[str, np.ndarray], names: tuple[str, ...]) -> None:
    lesions = np.zeros(drawn["ventricles"].shape, bool)
    parts = find_brain_parts({name: drawn[name] for name in names}, AFFINE, lesions)
    assert parts is not None
    assert volume_overlap(parts.ventricles, parts.affine, drawn["ventricles"]) > 0.8
    upper = parts.cortex & (np.arange(parts.cortex.shape[2]) + parts.affine[2, 3] > 0)
    assert volume_overlap(upper, parts.affine, drawn["cortex"]) > 0.5
    assert not (parts.infratentorial & parts.cortex).any()


def test_a_mask_in_the_place_of_an_image_has_no_parts(drawn: dict[str, np.ndarray]) -> None:
    lesions, brain = np.zeros(drawn["ventricles"].shape, bool), drawn["T1w"] != 0
    assert find_brain_parts(drawn | {"T1w": np.float32(100) * brain}, AFFINE, lesions, brain) is None

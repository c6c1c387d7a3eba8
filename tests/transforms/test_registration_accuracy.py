"""How well registration finds known motions of heads; ``--log-cli-level=INFO`` shows the rows of a table.

A motion of the moving image is made in its voxels, by cubic interpolation on its own grid. Contrasts of real heads are
not aligned to the last tenth of a millimeter before: their own motion is found first, and what is found after the known
one has to be both together. Simulated contrasts are aligned, so that what is found has to be the known motion alone.
"""

import logging
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation

from mri_attention.datasets.volumes import read_volume
from mri_attention.simulation.cohort import simulate_dataset
from mri_attention.transforms.alignment import Register, align
from mri_attention.transforms.registration import register_rigid
from mri_attention.transforms.rigid_motion import RigidMotion

logger = logging.getLogger(__name__)

DATA = Path(__file__).parents[3] / "shared" / "data"
THICK = 3  # voxels of 1 mm in a slice
LIMIT = 0.3  # mm and degrees
MOTIONS = {"5 mm, 5 degrees": ((3, -2, 4), (2, -4, 1.5)), "7 mm, 8 degrees": ((-5, 5, -3), (-5, 2, 5))}
HEADS = {
    "ms_lesions/sub-07": "ms_lesions/sub-07/anat/sub-07",
    "ms_lesions/sub-19": "ms_lesions/sub-19/anat/sub-19",
    "multicontrast/sub-fg6692": "multicontrast/sub-fg6692/anat/sub-fg6692",
    "multicontrast_more/sub-cstar": "multicontrast_more/sub-cstar/anat/sub-cstar",
    "ms_lesions_more/sub-msl14": "ms_lesions_more/sub-msl14/ses-2/anat/sub-msl14_ses-2",
    "ms_lesions_more/sub-msl39": "ms_lesions_more/sub-msl39/anat/sub-msl39",
    "multicontrast_2d/sub-04": "multicontrast_2d/sub-04/ses-1/anat/sub-04_ses-1",
    "multicontrast_2d/sub-12": "multicontrast_2d/sub-12/ses-2/anat/sub-12_ses-2",
    "multicontrast_2d_more/sub-12": "multicontrast_2d_more/sub-12/ses-1/anat/sub-12_ses-1",
    "multicontrast_2d_more/sub-long19": "multicontrast_2d_more/sub-long19/ses-2/anat/sub-long19_ses-2",
}
PAIRS = [
    ("ms_lesions/sub-07", "T1w", "FLAIR", 1),
    ("ms_lesions/sub-07", "T1w", "FLAIR", THICK),
    ("ms_lesions/sub-19", "T2w", "FLAIR", 1),
    ("multicontrast/sub-fg6692", "T1w", "FLAIR", 1),
    ("multicontrast_more/sub-cstar", "T1w", "T2w", 1),
    ("multicontrast_more/sub-cstar", "T1w", "FLAIR", THICK),
    ("ms_lesions_more/sub-msl39", "T1w", "FLAIR", 1),
    ("multicontrast_2d/sub-04", "T2w", "FLAIR", 1),
    ("multicontrast_2d/sub-12", "T1w", "T2w", 1),
    ("multicontrast_2d_more/sub-12", "T1w", "FLAIR", 1),
    ("multicontrast_2d_more/sub-long19", "T1w", "FLAIR", 1),
]
ALIGNED = [
    (head, *contrasts)
    for head in ("ms_lesions/sub-07", "ms_lesions/sub-19", "multicontrast/sub-fg6692", "multicontrast_more/sub-cstar")
    for contrasts in (("T1w", "FLAIR"), ("T2w", "FLAIR"), ("T1w", "T2w"))
]
APART = [
    ("ms_lesions_more/sub-msl14", "T1w", "FLAIR"),
    ("ms_lesions_more/sub-msl14", "T2w", "FLAIR"),
    ("ms_lesions_more/sub-msl39", "T1w", "FLAIR"),
    ("multicontrast_2d/sub-12", "T1w", "T2w"),
    ("multicontrast_2d_more/sub-12", "T1w", "FLAIR"),
    ("multicontrast_2d_more/sub-long19", "T1w", "FLAIR"),
]


def head_points(image: MetaTensor) -> NDArray[np.float64]:
    """Return 4000 points (mm) of the foreground."""
    values = image[0].numpy()
    voxels = np.argwhere(values > 0.5 * values[values > 0].mean())
    chosen = np.random.default_rng(0).choice(len(voxels), 4000, replace=False)
    return voxels[chosen] @ image.affine.numpy()[:3, :3].T + image.affine.numpy()[:3, 3]


def known_motion(name: str, center: NDArray[np.float64]) -> NDArray[np.float64]:
    angles, shift = MOTIONS[name]
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = center + shift - matrix[:3, :3] @ center
    return matrix


def moved(image: MetaTensor, motion: NDArray[np.float64]) -> MetaTensor:
    """Move the head in the image, whose grid stays."""
    affine = image.affine.numpy()
    back = np.linalg.inv(affine) @ np.linalg.inv(motion) @ affine
    values = affine_transform(image[0].numpy().astype(float), back[:3, :3], back[:3, 3], order=3, mode="nearest")
    limited = np.clip(values, image.min().item(), image.max().item()).astype(np.float32)
    return MetaTensor(torch.from_numpy(limited)[None], meta=dict(image.meta))


def in_thick_slices(image: MetaTensor, n_voxels: int) -> MetaTensor:
    if n_voxels == 1:
        return image
    values, affine = image[0].numpy(), image.affine.numpy().copy()
    n_slices = values.shape[2] // n_voxels
    slices = values[..., : n_slices * n_voxels].reshape(*values.shape[:2], n_slices, n_voxels).mean(-1)
    affine[:3, 3] += affine[:3, 2] * (n_voxels - 1) / 2
    affine[:3, 2] *= n_voxels
    out = MetaTensor(torch.from_numpy(slices)[None], meta=dict(image.meta))
    out.affine = torch.from_numpy(affine)
    return out


def errors(found: NDArray[np.float64], expected: NDArray[np.float64], image: MetaTensor) -> tuple[float, float, float]:
    """Return the largest and the central distance (mm) within the head, and the angle (degrees), between motions."""
    points, difference = head_points(image), found - expected
    distances = np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1)
    center = np.linalg.norm(difference[:3, :3] @ points.mean(0) + difference[:3, 3])
    return float(distances.max()), float(center), RigidMotion.of(np.linalg.inv(expected) @ found, np.zeros(3)).angle


@cache
def pair(head: str, moving: str, fixed: str, thick: int) -> tuple[MetaTensor, MetaTensor, NDArray[np.float64]]:
    """Return two contrasts, and the motion between them."""
    images = [read_volume(DATA / f"{HEADS[head]}_{contrast}.nii.gz") for contrast in (moving, fixed)]
    images[1] = in_thick_slices(images[1], thick)
    return images[0], images[1], register_rigid(*images).matrix


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize(("head", "moving", "fixed", "thick"), PAIRS)
def test_known_motions_of_real_heads_are_found(head: str, moving: str, fixed: str, thick: int, motion: str) -> None:
    image, reference, own = pair(head, moving, fixed, thick)
    known = known_motion(motion, head_points(reference).mean(0))
    found = register_rigid(moved(image, known), reference).matrix
    check(f"| {head} | {moving} to {fixed}, {thick} | {motion}", errors(found @ known, own, reference))


@pytest.mark.slow
@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("thick", [1, THICK])
def test_known_motions_of_simulated_heads_are_found(simulated: tuple[str, Path], thick: int, motion: str) -> None:
    name, folder = simulated
    image, reference = (read_volume(next(folder.rglob(f"*_{name}.nii.gz"))) for name in ("T1w", "FLAIR"))
    reference = in_thick_slices(reference, thick)
    known = known_motion(motion, head_points(reference).mean(0))
    found = register_rigid(moved(image, known), reference).matrix
    check(f"| {name} | T1w to FLAIR, {thick} | {motion}", errors(found @ known, np.eye(4), reference))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
@pytest.mark.parametrize(("head", "moving", "fixed"), [*ALIGNED, *APART])
def test_contrasts_of_real_heads_stay_or_are_moved(head: str, moving: str, fixed: str) -> None:
    images = [read_volume(DATA / f"{HEADS[head]}_{contrast}.nii.gz") for contrast in (moving, fixed)]
    found = align(images[0], images[1], Register.AUTO, fixed)
    logger.info("| %s | %s to %s | %.2f | %s |", head, moving, fixed, found.distance, found.is_applied)
    assert found.is_applied is ((head, moving, fixed) in APART)


@pytest.fixture(scope="module", params=["simulated without skull", "simulated with skull"])
def simulated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("heads")
    simulate_dataset(folder, n_subjects=1, seed=3, spacing=1.0, skull=request.param.endswith("with skull"))
    return request.param, folder


def check(name: str, found: tuple[float, float, float]) -> None:
    largest, center, angle = found
    logger.info("%s | %.2f | %.2f | %.2f |", name, largest, center, angle)
    assert max(center, angle) < LIMIT
    assert largest < LIMIT

"""Make the pictures of lesions: what goes in and comes out, where it fails, and outlines in each patient.

python docs/make_lesion_pictures.py PATIENTS EVALUATION: a BIDS folder, and what `mri-attention evaluate` wrote of it.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from make_pictures import ATTRIBUTION, CONTRASTS, lesions_of, load, show
from matplotlib.colors import ListedColormap, to_rgb
from PIL import Image
from scipy import ndimage

ROOT = Path(__file__).parents[1]
CARD = ROOT / "bundles" / "ms_lesion_segmentation_fanet" / "docs"
TRUTH, PREDICTION = "#30ff30", "#ff4040"
WHOLE = np.ones((3, 3, 3))  # voxels of a lesion are connected by faces, edges or corners
HALF = 34  # mm, of a detail


def box(volume: np.ndarray) -> tuple[slice, slice]:
    """Return the part of axial planes that has the brain, and a little around it."""
    x, y, _ = ndimage.find_objects((volume > 0).astype(np.uint8))[0]
    return slice(max(x.start - 3, 0), x.stop + 3), slice(max(y.start - 3, 0), y.stop + 3)


def in_and_out(patients: Path, masks: Path, subject: str, path: Path) -> None:
    """Draw a plane of each contrast of ``subject``, and what the network makes of it."""
    images = [load(patients / subject / "anat" / f"{subject}_{name}.nii.gz") for name in CONTRASTS]
    mask = load(next(masks.glob(f"{subject}/**/{subject}_label-lesion_mask.nii.gz"))) > 0
    z = int(np.argmax(lesions_of(patients, subject).sum((0, 1))))
    inside = (*box(images[2]), z)
    figure, row = plt.subplots(1, 4, figsize=(11, 3.7), facecolor="black")
    for axes, name, image in zip(row, CONTRASTS, images, strict=False):
        show(axes, image[inside])
        axes.set_title(f"in: {name}", color="white", fontsize=13)
    show(row[3], images[2][inside])
    marked = np.ma.masked_equal(mask[inside], 0)
    row[3].imshow(marked[::-1].T, cmap=ListedColormap(["orangered"]), origin="lower")
    row[3].set_title("out: lesion mask", color="white", fontsize=13)
    save(figure, path)


def failures(patients: Path, masks: Path, subject: str, path: Path) -> None:
    """Draw what was missed and what was invented in ``subject``: the two largest of each, alone and outlined."""
    flair = load(patients / subject / "anat" / f"{subject}_FLAIR.nii.gz")
    truth = lesions_of(patients, subject)
    marked = load(next(masks.glob(f"{subject}/**/{subject}_label-lesion_mask.nii.gz"))) > 0
    places = [("missed", *place) for place in largest(truth, marked)]
    places += [("marked, but no lesion", *place) for place in largest(marked, truth)]
    figure, grid = plt.subplots(2, 4, figsize=(11, 6.1), facecolor="black")
    for (above, below), (title, x, y, z) in zip(grid.T, places, strict=True):
        part = (slice(max(x - HALF, 0), x + HALF), slice(max(y - HALF, 0), y + HALF), z)
        show(above, flair[part])
        show(below, flair[part], {TRUTH: truth[part], PREDICTION: marked[part]}, 2)
        above.set_title(title, color="white", fontsize=13)
    figure.text(0.5, 0.03, "green: raters    red: FA-Net", color="white", ha="center", fontsize=13)
    save(figure, path)


def largest(lesions: np.ndarray, other: np.ndarray) -> list[tuple[int, int, int]]:
    """Return the centers (voxels) of the two largest of ``lesions`` that have no voxel in common with ``other``."""
    labels, n_lesions = ndimage.label(lesions, WHOLE)
    alone = [n for n in range(1, n_lesions + 1) if not other[labels == n].any()]
    alone.sort(key=lambda n: -int((labels == n).sum()))
    centers = [np.argwhere(labels == n) for n in alone[:2]]
    return [tuple(int(c) for c in points[np.argmin(np.abs(points - points.mean(0)).sum(1))]) for points in centers]


def outlines(patients: Path, masks: Path, path: Path) -> None:
    """Draw FLAIR planes of each patient's first visit, with truth (green) and prediction (red) outlined."""
    files = sorted(patients.glob("sub-*/**/*_FLAIR.nii.gz"), reverse=True)
    visits = {file.name.partition("_")[0]: file for file in files}  # the first one of each is the last here
    figure, grid = plt.subplots(len(visits), 4, figsize=(10, 3 * len(visits)), facecolor="black", squeeze=False)
    for row, (subject, file) in zip(grid, sorted(visits.items()), strict=True):
        name = file.name.replace("_FLAIR", "_label-lesion_mask")
        flair = load(file)
        truth = load(next((patients / "derivatives").glob(f"**/{name}"))) > 0
        marked = load(next(masks.glob(f"{subject}/**/{name}"))) > 0
        z, part = int(np.argmax(truth.sum((0, 1)))), box(flair)
        for axes, plane in zip(row, (z - 16, z - 8, z, z + 8), strict=True):
            at = (*part, plane)
            show(axes, flair[at], {TRUTH: truth[at], PREDICTION: marked[at]}, 1)
        row[0].set_title(f"{subject}: raters green, FA-Net red", color="white", fontsize=9, loc="left")
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    """Write ``figure`` in few colors, with the attribution that the license of the images asks for."""
    figure.text(0.005, 0.005, ATTRIBUTION, color="gray", fontsize=7)
    figure.tight_layout(rect=(0, 0.06 if len(figure.axes) == 8 else 0.02, 1, 1))
    buffer = BytesIO()
    figure.savefig(buffer, dpi=75, facecolor="black")
    Image.open(buffer).convert("RGB").quantize(palette=palette(), dither=Image.Dither.NONE).save(path, optimize=True)


def palette() -> Image.Image:
    """Return grays, and mixtures of them with the colors of outlines."""
    grays = np.repeat(np.linspace(0, 255, 100)[:, None], 3, 1)
    colors = 255 * np.array([to_rgb(name) for name in (TRUTH, PREDICTION, "orangered")])
    mixed = [
        color * part + gray * (1 - part) for color in colors for gray in (0, 80, 160, 255) for part in (0.3, 0.6, 1)
    ]
    image = Image.new("P", (1, 1))
    image.putpalette(np.concatenate([grays, mixed]).astype(np.uint8).ravel().tolist())
    return image


if __name__ == "__main__":
    patients, masks = Path(sys.argv[1]), Path(sys.argv[2])
    in_and_out(patients, masks, "sub-19", CARD / "segmentation.png")
    failures(patients, masks, "sub-07", CARD / "failures.png")
    outlines(patients, masks, ROOT / "docs" / "experiments" / "ms_lesions.png")

"""Make the pictures of susceptibility: what goes in and comes out, and maps at little and at much noise.

python docs/make_susceptibility_pictures.py FIELDS EVALUATION FIELDS EVALUATION: folders by `prepare qsm-labels`, of
little noise and of much, each with what `evaluate --baseline solvers/total_variation` wrote of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from scipy import ndimage

CARD = Path(__file__).parents[1] / "bundles" / "qsm_reconstruction_fanet" / "docs"
SHOWN = 0.1  # ppm: of maps from black to white, and half of it of fields


def load(folder: Path, name: str) -> np.ndarray:
    """Return the one volume of this name below ``folder``, shape ``(x, y, z)``, in RAS orientation."""
    return np.asarray(nib.as_closest_canonical(nib.load(next(folder.glob(name)))).dataobj, dtype=np.float32)


def show(axes: plt.Axes, plane: np.ndarray, title: str, limit: float = SHOWN) -> None:
    """Draw a plane between ``-limit`` and ``limit``, without axes."""
    axes.imshow(plane.T, cmap="gray", origin="lower", vmin=-limit, vmax=limit)
    axes.set_title(title, color="white", fontsize=12)
    axes.set_axis_off()


def inside(mask: np.ndarray) -> tuple[slice, ...]:
    """Return the box of ``mask``."""
    return tuple(ndimage.find_objects(mask.astype(np.uint8))[0])


def in_and_out(fields: Path, evaluation: Path, path: Path) -> None:
    """Draw an axial and a sagittal plane of the field and of the map that the network makes of it."""
    result = next(evaluation.glob("sub-*/anat/*_Chimap.nii.gz"))
    subject = result.name.partition("_")[0]
    field = load(fields, f"{subject}/anat/*_localfield.nii.gz")
    box = inside(field != 0)
    field, chi = field[box], load(result.parent, result.name)[box]
    figure, row = plt.subplots(1, 4, figsize=(11, 3.4), facecolor="black")
    planes = [(slice(None, None, -1), slice(None), int(0.52 * field.shape[2])), (int(0.48 * field.shape[0]),)]
    for axes, plane in zip((row[:2], row[2:]), planes, strict=True):
        show(axes[0], field[plane], "in: local field", SHOWN / 2)
        show(axes[1], chi[plane], "out: susceptibility map")
    save(figure, path)


def beside_truth(pairs: list[tuple[Path, Path]], path: Path) -> None:
    """Draw truth, total variation and network, a row for each pair of fields and evaluation."""
    figure, grid = plt.subplots(len(pairs), 3, figsize=(8, 3.7 * len(pairs)), facecolor="black", squeeze=False)
    for row, (fields, evaluation) in zip(grid, pairs, strict=True):
        sidecar = json.loads(next(fields.glob("sub-*/anat/*_localfield.json")).read_text())
        name = "sub-*/anat/*_Chimap.nii.gz"
        truth = load(fields / "derivatives", f"*/{name}")
        maps = {
            f"truth (noise: {sidecar['FieldNoise']:.1f} ppb)": truth,
            "total variation": load(evaluation / "baselines" / "total_variation", name),
            "FA-QSMnet": load(evaluation, name),
        }
        box = inside(truth != 0)
        for axes, (what, chi) in zip(row, maps.items(), strict=True):
            cropped = chi[box]
            show(axes, cropped[::-1, :, int(0.52 * cropped.shape[2])], what)
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    """Write ``figure``."""
    figure.tight_layout()
    figure.savefig(path, dpi=75, facecolor="black")


if __name__ == "__main__":
    folders = [Path(name) for name in sys.argv[1:]]
    in_and_out(folders[0], folders[1], CARD / "susceptibility.png")
    beside_truth(list(zip(folders[::2], folders[1::2], strict=True)), CARD / "noise.png")

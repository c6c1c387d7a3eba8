"""Make the pictures of susceptibility: what goes in and comes out, and the errors where there is little noise.

python docs/make_susceptibility_pictures.py FIELDS EVALUATION: a folder by `mri-attention prepare qsm-labels`, and what
`mri-attention evaluate --baseline solvers/total_variation` wrote of it.
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


def found(folder: Path, suffix: str) -> Path:
    """Return the first image of this suffix below ``folder`` that is no stage of another one (``desc``)."""
    return next(file for file in sorted(folder.glob(f"sub-*/anat/*_{suffix}.nii.gz")) if "_desc-" not in file.name)


def load(file: Path) -> np.ndarray:
    """Return the volume at ``file`` in RAS orientation, shape ``(x, y, z)``."""
    return np.asarray(nib.as_closest_canonical(nib.load(file)).dataobj, dtype=np.float32)


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
    field = load(found(fields, "localfield"))
    box = inside(field != 0)
    field, chi = field[box], load(found(evaluation, "Chimap"))[box]
    figure, row = plt.subplots(1, 4, figsize=(11, 3.4), facecolor="black")
    planes = [(slice(None, None, -1), slice(None), int(0.52 * field.shape[2])), (int(0.48 * field.shape[0]),)]
    for axes, plane in zip((row[:2], row[2:]), planes, strict=True):
        show(axes[0], field[plane], "in: local field", SHOWN / 2)
        show(axes[1], chi[plane], "out: susceptibility map")
    save(figure, path)


def beside_truth(fields: Path, evaluation: Path, path: Path) -> None:
    """Draw truth, total variation and network, and below what the latter two are off."""
    sidecar = found(fields, "localfield").with_suffix("").with_suffix(".json")
    noise = json.loads(sidecar.read_text())["FieldNoise"]
    truth = load(found(fields / "derivatives" / "qsm", "Chimap"))
    box = inside(truth != 0)
    plane = (slice(None, None, -1), slice(None), int(0.52 * truth[box].shape[2]))
    maps = {
        f"truth ({noise:.1f} ppb of noise)": truth,
        "total variation": load(found(evaluation / "baselines" / "total_variation", "Chimap")),
        "FA-QSMnet": load(found(evaluation, "Chimap")),
    }
    figure, grid = plt.subplots(2, 3, figsize=(8, 7.2), facecolor="black")
    for (above, below), (what, chi) in zip(grid.T, maps.items(), strict=True):
        show(above, chi[box][plane], what)
        if chi is truth:
            below.set_axis_off()
        else:
            show(below, (chi - truth)[box][plane], f"error of {what}", SHOWN / 2)
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    """Write ``figure``."""
    figure.tight_layout()
    figure.savefig(path, dpi=75, facecolor="black")


if __name__ == "__main__":
    fields, evaluation = Path(sys.argv[1]), Path(sys.argv[2])
    in_and_out(fields, evaluation, CARD / "susceptibility.png")
    beside_truth(fields, evaluation, CARD / "errors.png")

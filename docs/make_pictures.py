"""Make the pictures of the docs: simulated heads beside real ones, and the rooms of the code.

python docs/make_pictures.py SIMULATED REAL: BIDS folders.
python docs/make_pictures.py rooms: from the contract of import-linter in pyproject.toml.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import tomllib

CONTRASTS = ("T1w", "T2w", "FLAIR")
ATTRIBUTION = "Real images: Lesjak et al. 2018 (via open_ms_data), Guarnera et al. 2025 (MSLesSeg), CC-BY"
HERE = Path(__file__).parent
COLORS = {"scripts": "#d9e4f2", "bundles": "#f2e6c9", "simulation": "#dcecd9", "networks": "#f3dcd6", "": "#e6e6ea"}
CONTENT = {
    "bundles": "configs, metadata, weights",
    "scripts": "the commands, a file each",
    "scripts.releases": "what is published of a commit",
    "scripts.terminal": "errors, progress, tables at the console",
    "scripts.benchmarks": "what things cost",
    "scripts.checks": "what a bundle must satisfy",
    "scripts.exports": "bundles with their own code, ONNX",
    "scripts.reports": "tables, figures, HTML",
    "scripts.preparations": "downloads as BIDS folders",
    "scripts.running": "predict, evaluate, train, compare as a library",
    "simulation": "signals, lesions, susceptibility, deformation, cohorts",
    "handlers": "weights loaded, checkpoints kept",
    "transforms": "loading, degrading, scaling, saving",
    "datasets": "images, k-space, BIDS folders, datalists",
    "networks.conversion": "weights of other implementations",
    "networks.nets": "a network a file",
    "networks.inferers": "tiles, slices",
    "losses": "training",
    "metrics": "evaluation",
    "networks.blocks": "one attention idea a file",
    "operators": "Fourier, dipole, resampling, truncation, coils, units",
}


def load(path: Path) -> np.ndarray:
    """Return the volume at ``path`` in RAS orientation, shape ``(x, y, z)``."""
    return np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj, dtype=np.float32)


def lesions_of(dataset: Path, subject: str) -> np.ndarray:
    """Return the lesion mask of ``subject`` from the derivatives of ``dataset``."""
    return load(next(dataset.glob(f"derivatives/*/{subject}/anat/{subject}_label-lesion_mask.nii.gz"))) > 0


def show(axes: plt.Axes, plane: np.ndarray, outlines: dict[str, np.ndarray] | None = None, width: float = 0.8) -> None:
    """Draw an axial plane in radiological convention (left is the patient's right) with outlines by color."""
    axes.imshow(plane[::-1].T, cmap="gray", origin="lower", vmin=0, vmax=np.percentile(plane[plane > 0], 99.5))
    for color, mask in (outlines or {}).items():
        if mask.any():
            axes.contour(mask[::-1].T, [0.5], colors=color, linewidths=width)
    axes.set_axis_off()


def montage(datasets: list[tuple[str, Path, str]], path: Path) -> None:
    """Draw rows of T1w, T2w, FLAIR and FLAIR with the lesions outlined: ``(title, dataset, subject)`` each."""
    figure, grid = plt.subplots(len(datasets), 4, figsize=(11, 3.3 * len(datasets)), facecolor="black", squeeze=False)
    for row, (title, dataset, subject) in zip(grid, datasets, strict=True):
        lesions = lesions_of(dataset, subject)
        z = int(np.argmax(lesions.sum((0, 1))))
        planes = [load(dataset / subject / "anat" / f"{subject}_{name}.nii.gz")[..., z] for name in CONTRASTS]
        for axes, name, plane in zip(row, CONTRASTS, planes, strict=False):
            show(axes, plane)
            axes.set_title(f"{title}: {name}", color="white", fontsize=9)
        show(row[3], planes[2], {"red": lesions[..., z]})
        row[3].set_title("lesions", color="white", fontsize=9)
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    """Write ``figure`` with the attribution that the real images' license asks for."""
    figure.text(0.01, 0.005, ATTRIBUTION, color="gray", fontsize=7)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path, dpi=75, facecolor="black")


def floors() -> list[list[str]]:
    """Return the rooms from the top down, those of one floor together; commands are one room."""
    contract = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    names = [
        [name for name in layer.replace("mri_attention.", "").split() if name not in ":|"]
        for layer in contract["layers"]
    ]
    return [["bundles", "scripts"], *names[2:]]


def rooms(path: Path) -> None:
    """Draw a row of boxes for each floor; imports go down."""
    layers = floors()
    figure, axes = plt.subplots(figsize=(10, 0.62 * len(layers)))
    for row, layer in enumerate(layers):
        width = 9 / len(layer)
        for place, name in enumerate(layer):
            color = COLORS[next(group for group in COLORS if name.startswith(group))]
            axes.add_patch(plt.Rectangle((place * width + 0.04, -row - 0.8), width - 0.08, 0.72, color=color))
            axes.text(
                (place + 0.5) * width,
                -row - 0.44,
                f"{name.replace('.', '/')}: {CONTENT[name]}",
                ha="center",
                va="center",
                fontsize=8,
            )
    axes.annotate("", (9.3, -len(layers) + 0.2), (9.3, 0), arrowprops={"arrowstyle": "-|>", "linewidth": 1.5})
    axes.text(9.45, -len(layers) / 2, "imports", rotation=-90, va="center", fontsize=9)
    axes.set(xlim=(0, 9.7), ylim=(-len(layers), 0.1))
    axes.set_axis_off()
    figure.savefig(path, dpi=110, bbox_inches="tight")


if __name__ == "__main__" and sys.argv[1:] == ["rooms"]:
    rooms(HERE / "rooms.png")
elif __name__ == "__main__":
    simulated, real = Path(sys.argv[1]), Path(sys.argv[2])
    names = sorted(folder.name for folder in simulated.glob("sub-*"))[:2]
    rows = [("simulated", simulated, name) for name in names] + [("real", real, "sub-19"), ("real", real, "sub-07")]
    montage(rows, HERE / "simulation.png")

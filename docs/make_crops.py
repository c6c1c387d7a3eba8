"""Make the pictures of the cards of reconstruction and super-resolution: crops, pixel by pixel, with their errors.

python docs/make_crops.py FOLDER [NAME]...: FOLDER is where the commands of docs/experiments/pictures.md were called.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from nibabel.processing import resample_from_to
from PIL import Image

mpl.use("Agg")
BUNDLES = Path(__file__).resolve().parents[1] / "bundles"
MANET, SANET, CFTN = "guided_reconstruction_manet", "guided_super_resolution_sanet", "brain_super_resolution_cftn"
ERRORS = LinearSegmentedColormap.from_list("errors", ["#7fd4ff", "#0a5fb4", "black", "#b4340a", "#ffd27f"])
"""From too dark (blue) by no error (black) to too bright (orange)."""

LARGEST = 0.25
"""Error that gets the brightest color, as a share of what is between black and white."""

ERROR, GUIDE = "error: blue too dark, orange too bright", "T1w, the guide"


@dataclass(frozen=True)
class Picture:
    """One picture of a card.

    Attributes:
        path: of the picture, below ``bundles``.
        reference: the true image, in whose voxels all others are shown.
        columns: title and file of the panels above and below; a title that begins with ``error`` gives its error.
        plane: index of the axial plane, after the image was turned to RAS.
        box: left, right, lower and upper voxel of the crop, as displayed.
        zoom: pixels of the picture for each voxel.
        arrows: voxels, as displayed, at which arrows point.
    """

    path: str
    reference: str
    columns: tuple[tuple[str, str, str, str], ...]
    plane: int
    box: tuple[int, int, int, int]
    zoom: int
    arrows: tuple[tuple[int, int], ...] = ()


_FOUR = "manet4/sub-12/anat/sub-12_{}_T2w.nii.gz"
_EIGHT = "manet8/{}few_sub-12_T2w_{}_T2w.nii.gz"
_SANET = "sanet4/few_sub-19_T2w_{}_T2w.nii.gz"
_CFTN = "cftn/{}sub-eun/anat/sub-eun_{}_T1w.nii.gz"
_CUBIC, _LINEAR, _RESULT = (_CFTN.format(at, "rec-cftn") for at in ("baselines/cubic/", "baselines/deconvolved/", ""))
_LOW, _TRUTH = _CFTN.format("", "desc-input"), _CFTN.format("", "desc-reference")
_SHARP = "cftn-sharp/sub-sharp/anat/sub-sharp_rec-cftn_T1w.nii.gz"
_COMPRESSED = _EIGHT.format("baselines/compressed_sensing/", "rec-manet")
PICTURES = {
    "reconstruction": Picture(
        f"{MANET}/docs/reconstruction.png",
        _FOUR.format("desc-reference"),
        (
            ("in: T2w from a quarter of k-space", _FOUR.format("desc-input"), f"in: {GUIDE}", "sub-12_T1w.nii.gz"),
            ("out: MANet", _FOUR.format("rec-manet"), ERROR, _FOUR.format("rec-manet")),
            ("truth: all of k-space", _FOUR.format("desc-reference"), "error of the input", _FOUR.format("desc-input")),
        ),
        plane=9,
        box=(62, 284, 58, 338),
        zoom=1,
    ),
    "lost": Picture(
        f"{MANET}/docs/failures.png",
        _EIGHT.format("", "desc-reference"),
        (
            ("compressed sensing, 8x", _COMPRESSED, ERROR, _COMPRESSED),
            ("MANet, 8x", _EIGHT.format("", "rec-manet"), ERROR, _EIGHT.format("", "rec-manet")),
            ("truth", _EIGHT.format("", "desc-reference"), GUIDE, "sub-12_T1w.nii.gz"),
        ),
        plane=1,
        box=(165, 265, 250, 330),
        zoom=3,
        arrows=((206, 309),),
    ),
    "enlarged": Picture(
        f"{SANET}/docs/enlarged.png",
        _SANET.format("desc-reference"),
        (
            ("in: T2w with pixels of 4 mm", _SANET.format("desc-input"), f"in: {GUIDE}", "sub-19_T1w.nii.gz"),
            ("out: SANet", _SANET.format("rec-sanet"), ERROR, _SANET.format("rec-sanet")),
            (
                "truth: pixels of 1 mm",
                _SANET.format("desc-reference"),
                "error of the input",
                _SANET.format("desc-input"),
            ),
        ),
        plane=2,
        box=(25, 157, 36, 182),
        zoom=2,
    ),
    "faint": Picture(
        f"{SANET}/docs/failures.png",
        _SANET.format("desc-reference"),
        (
            ("input, 4 times coarser", _SANET.format("desc-input"), "error of the input", _SANET.format("desc-input")),
            ("SANet", _SANET.format("rec-sanet"), ERROR, _SANET.format("rec-sanet")),
            ("truth", _SANET.format("desc-reference"), GUIDE, "sub-19_T1w.nii.gz"),
        ),
        plane=2,
        box=(75, 147, 90, 150),
        zoom=4,
        arrows=((90, 120), (122, 124)),
    ),
    "volume": Picture(
        f"{CFTN}/docs/enlarged.png",
        _TRUTH,
        (
            ("cubic interpolation", _CUBIC, ERROR, _CUBIC),
            ("linear filter that knows the blur", _LINEAR, ERROR, _LINEAR),
            ("out: CFTN", _RESULT, ERROR, _RESULT),
            ("truth: voxels of 1 mm", _TRUTH, "in: voxels of 2 mm, interpolated", _LOW),
        ),
        plane=48,
        box=(0, 96, 0, 96),
        zoom=3,
    ),
    "overshoot": Picture(
        f"{CFTN}/docs/failures.png",
        _TRUTH,
        (
            ("CFTN, of a blurred volume as in training", _RESULT, ERROR, _RESULT),
            ("CFTN, of a sharper volume", _SHARP, ERROR, _SHARP),
            ("truth", _TRUTH, "the sharper volume", "sub-sharp_T1w.nii.gz"),
        ),
        plane=48,
        box=(0, 96, 0, 96),
        zoom=3,
    ),
}


def plane_of(file: Path, reference: Path, picture: Picture) -> np.ndarray:
    """Return the crop of an image in the voxels of the reference, ``(rows, columns)``, patient's right at the left."""
    image, grid = (nib.as_closest_canonical(nib.load(path)) for path in (file, reference))
    if image.shape != grid.shape or not np.allclose(image.affine, grid.affine, atol=1e-3):
        image = resample_from_to(image, grid, order=0 if np.prod(image.shape) < np.prod(grid.shape) / 4 else 1)
    shown = np.asarray(image.dataobj, dtype=np.float32)[::-1, ::-1, picture.plane].T
    left, right, lower, upper = picture.box
    return shown[shown.shape[0] - upper : shown.shape[0] - lower, left:right]


def palette() -> Image.Image:
    """Return grays, the colors of errors and that of arrows, as an image whose palette they are."""
    grays = np.repeat(np.linspace(0, 255, 96).round().astype(np.uint8)[:, None], 3, 1)
    errors = (ERRORS(np.linspace(0, 1, 41))[:, :3] * 255).round().astype(np.uint8)
    image = Image.new("P", (1, 1))
    image.putpalette(np.concatenate([grays, errors, [[255, 255, 0]]]).astype(np.uint8).tobytes())
    return image


def draw(picture: Picture, folder: Path) -> None:
    """Write the picture: two rows of panels, pixel by pixel, in few colors, so that the file is small."""
    truth = plane_of(folder / picture.reference, folder / picture.reference, picture)
    dark, bright = np.percentile(truth, (1, 99.7))
    (height, width), gap, title = (picture.zoom * n for n in truth.shape), 8, 18
    across, down = len(picture.columns) * (width + gap) - gap, 2 * (height + title + gap) - gap
    figure = plt.figure(figsize=(across / 100, down / 100), dpi=100, facecolor="black")
    panels = [
        (*column[2 * row : 2 * row + 2], place * (width + gap), title + row * (height + title + gap))
        for place, column in enumerate(picture.columns)
        for row in (0, 1)
    ]
    for name, file, left, top in panels:
        axes = figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))
        axes.axis("off")
        axes.set_title(name, color="white", fontsize=8, pad=3)
        image = plane_of(folder / file, folder / picture.reference, picture)
        colors, low, high = "gray", dark, bright
        if name.startswith("error"):
            high = LARGEST * (bright - dark)
            image, colors, low = image - truth, ERRORS, -high
        elif GUIDE in name:
            low, high = np.percentile(image, (1, 99.7))
        axes.imshow(image, cmap=colors, vmin=low, vmax=high, interpolation="nearest")
        for x, y in picture.arrows:
            tip = x - picture.box[0], picture.box[3] - 1 - y
            tail = tip[0] + 36 / picture.zoom, tip[1] - 36 / picture.zoom
            axes.annotate("", tip, tail, arrowprops={"arrowstyle": "-|>", "color": "yellow", "shrinkB": 5})
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100, facecolor="black")
    plt.close(figure)
    few = Image.open(drawn).convert("RGB").quantize(palette=palette(), dither=Image.Dither.NONE)
    few.save(BUNDLES / picture.path, optimize=True)


if __name__ == "__main__":
    for each in sys.argv[2:] or PICTURES:
        draw(PICTURES[each], Path(sys.argv[1]))

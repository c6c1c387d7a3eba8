"""Compare simulated susceptibility with the literature and with the texture of real images; draw a picture of both.

python docs/measure_susceptibility.py FIELDS IMAGE...: a folder by ``prepare qsm-labels``, and T1w or T2w images.

Printed are medians by tissue beside published means, and slopes of the radial power spectrum within white matter, of
maps and of images. Real images are no susceptibility: they tell how real tissue varies from place to place, no more.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_multiotsu

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]

PUBLISHED = {  # ppm above fluid: Marques et al. 2021, doi:10.1002/mrm.28716
    "white_matter": -0.049,
    "gray_matter": 0.001,
    "thalamus": 0.001,
    "caudate": 0.025,
    "putamen": 0.019,
    "pallidum": 0.112,
    "csf": 0.0,
}
BAND = (0.06, 0.30)  # cycles per mm, over which slopes are fitted: 3 to 17 mm
HERE = Path(__file__).parent


def load(path: Path) -> tuple[Volume, NDArray[np.float64]]:
    """Return a volume in RAS orientation and its voxel size (mm)."""
    image = nib.as_closest_canonical(nib.load(path))
    return np.asarray(image.dataobj, dtype=np.float32), np.linalg.norm(image.affine[:3, :3], axis=0)


def write(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(line + "\n")


def spectrum(values: Volume, mask: Mask, voxel_size: NDArray[np.float64]) -> tuple[Volume, Volume]:
    """Radial power spectrum of what varies within a mask: frequencies (cycles per mm) and power per unit of variance.

    A smooth part (Gaussian of 12 mm within the mask) is taken away, which coils leave in images.
    """
    box = ndimage.find_objects(mask.astype(np.int8))[0]
    values, inside = values[box], mask[box].astype(np.float32)
    widths = 12 / voxel_size
    smooth = ndimage.gaussian_filter(values * inside, widths) / np.maximum(
        ndimage.gaussian_filter(inside, widths), 1e-3
    )
    rest = (values - smooth) * inside
    rest /= rest[inside > 0].std()
    power = np.abs(np.fft.rfftn(rest)) ** 2 / inside.sum()
    axes = [np.fft.fftfreq(n, size) for n, size in zip(rest.shape, voxel_size, strict=True)]
    axes[2] = np.abs(axes[2][: power.shape[2]])
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    edges = np.arange(0.01, 0.5 / voxel_size.max(), 0.01)
    which = np.digitize(radius.ravel(), edges)
    counts = np.bincount(which, minlength=len(edges) + 1)[1:-1]
    totals = np.bincount(which, power.ravel(), len(edges) + 1)[1:-1]
    return (edges[:-1] + edges[1:]) / 2, totals / np.maximum(counts, 1)


def slope(frequencies: Volume, power: Volume) -> float:
    """Slope of power over frequency, both logarithmic, within :data:`BAND`."""
    within = (frequencies > BAND[0]) & (frequencies < BAND[1])
    return float(np.polyfit(np.log(frequencies[within]), np.log(power[within]), 1)[0])


def white_matter(image: Volume, is_bright: bool = True) -> Mask:
    """White matter of an image, without its border: the largest piece of the class of its brightness."""
    low, high = threshold_multiotsu(image[image > 0], 3)
    kept = ndimage.binary_opening(image > high if is_bright else (image > 0) & (image < low), iterations=2)
    labels, _ = ndimage.label(kept)
    return np.asarray(ndimage.binary_erosion(labels == np.bincount(labels.ravel())[1:].argmax() + 1))


def main(fields: Path, images: list[Path]) -> None:
    """Print the tables and draw the picture."""
    derived = fields / "derivatives" / "qsm"
    rows = (derived / "dseg.tsv").read_text().splitlines()[1:]
    names = {int(row.split("\t")[0]): row.split("\t")[1] for row in rows}
    means, spreads, values = ({name: [] for name in PUBLISHED} for _ in range(3))
    spectra: dict[str, list[tuple[Volume, Volume]]] = {"simulated maps": [], "real images": []}
    maps = sorted(derived.glob("sub-*/anat/*_Chimap.nii.gz"))
    for path in maps:
        chi, voxel_size = load(path)
        labels = load(path.with_name(path.name.replace("Chimap", "dseg")))[0]
        regions = {name: labels == number for number, name in names.items() if name in PUBLISHED}
        for name, region in regions.items():
            inside = ndimage.binary_erosion(region) if name != "gray_matter" else region
            if inside.any():
                means[name].append(float(np.median(chi[inside])))
                spreads[name].append(float(np.subtract(*np.percentile(chi[inside], (75, 25))) / 1.349))
                values[name].append(chi[inside])
        spectra["simulated maps"].append(
            spectrum(chi.clip(-0.1, 0.05), ndimage.binary_erosion(regions["white_matter"]), voxel_size)
        )
    for path in images:
        image, voxel_size = load(path)
        spectra["real images"].append(spectrum(image, white_matter(image, "T1w" in path.name), voxel_size))
    write("| tissue | median (ppm) | published mean | spread within |\n|---|---|---|---|")
    for name, published in PUBLISHED.items():
        told = f"{np.mean(means[name]):.3f} +- {np.std(means[name]):.3f}"
        write(f"| {name} | {told} | {published:.3f} | {np.mean(spreads[name]):.3f} |")
    for kind, found in spectra.items():
        slopes = [slope(*one) for one in found]
        write(
            f"slope of {kind}: {np.mean(slopes):.2f} +- {np.std(slopes):.2f} ({min(slopes):.2f} to {max(slopes):.2f})"
        )
    draw(load(maps[0])[0], {name: np.concatenate(found) for name, found in values.items()}, spectra)


def draw(chi: Volume, values: dict[str, Volume], spectra: dict[str, list[tuple[Volume, Volume]]]) -> None:
    """Draw three slices of a map, histograms of tissues and spectra."""
    figure, grid = plt.subplots(2, 3, figsize=(12, 8))
    for axes, axis, place in zip(grid[0], (2, 1, 0), (0.45, 0.5, 0.43), strict=True):
        plane = np.take(chi, int(chi.shape[axis] * place), axis)
        axes.imshow(plane.T, cmap="gray", origin="lower", vmin=-0.1, vmax=0.1)
        axes.set_axis_off()
    grid[0, 1].set_title("simulated susceptibility, -0.1 to 0.1 ppm")
    for name, found in values.items():
        grid[1, 0].hist(found, np.arange(-0.12, 0.25, 0.004), density=True, histtype="step", label=name)
    grid[1, 0].set(xlabel="ppm above fluid", ylabel="density", title="voxels of tissues")
    grid[1, 0].legend(fontsize=7)
    for (kind, found), color in zip(spectra.items(), ("tab:red", "tab:gray"), strict=True):
        for number, (frequencies, power) in enumerate(found):
            grid[1, 1].loglog(frequencies, power, color=color, alpha=0.6, label=kind if number == 0 else None)
    for edge in BAND:
        grid[1, 1].axvline(edge, color="black", linewidth=0.5, linestyle=":")
    grid[1, 1].set(xlabel="cycles per mm", ylabel="power per variance (mm^3)", title="within white matter")
    grid[1, 1].set_xticks([0.02, 0.05, 0.1, 0.2, 0.4], ["0.02", "0.05", "0.1", "0.2", "0.4"], minor=False)
    grid[1, 1].minorticks_off()
    grid[1, 1].legend(fontsize=7)
    slopes = [[slope(*one) for one in found] for found in spectra.values()]
    grid[1, 2].boxplot(slopes, tick_labels=list(spectra))
    grid[1, 2].set(title="slope of the spectrum")
    figure.tight_layout()
    figure.savefig(HERE / "susceptibility.png", dpi=75)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])

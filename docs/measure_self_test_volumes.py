"""Measure CFTN with and without self-test at x2, on the middle of heads and on what is no head.

python docs/measure_self_test_volumes.py HEADS.json [sharpness]: a datalist of volumes of high resolution.

Printed is by how many dB results are above the cubic spline, for volumes that were blurred as in training and never
blurred before every second voxel was taken: of heads, of ellipsoids, and of filtered noise. With ``sharpness`` it is
that of the heads as they are, and blurred, blurred by 0.6 voxels and never blurred at x2 and x3.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.inferers import SimpleInferer
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from mri_attention.networks.inferers import BlurredVolumes, SelfTestedInferer
from mri_attention.networks.inferers.magnification import sharpness
from mri_attention.networks.nets import CFTN, Interpolation
from mri_attention.transforms import SimulateLowResolution

WEIGHTS = Path(__file__).parents[1] / "bundles" / "brain_super_resolution_cftn" / "models" / "model.pt"
SIZE, BLOBS, SHARPEST = 80, 30, 0.04
Volume = NDArray[np.float32]


class Told(SelfTestedInferer):
    """Keeps the share."""

    share = 1.0

    def _tell(self, share: float | None, place: str) -> None:
        self.share = 1.0 if share is None else share


def middle(file: str, size: int = SIZE) -> Volume:
    """Return the middle of a volume, its range mapped to 0..1."""
    values = np.asarray(nib.load(file).dataobj, dtype=np.float32)
    values = (values - values.min()) / np.ptp(values)
    return values[tuple(slice(max(0, (n - size) // 2), (n + size) // 2) for n in values.shape)]


def ellipsoids() -> Volume:
    """Draw ellipsoids with soft edges and a little noise."""
    generator = np.random.default_rng(0)
    grid = np.mgrid[tuple(slice(-1, 1, SIZE * 1j) for _ in range(3))]
    drawn = np.zeros((SIZE, SIZE, SIZE))
    for _ in range(BLOBS):
        radii, center = generator.uniform(0.05, 0.5, 3), generator.uniform(-0.6, 0.6, 3)
        axes = np.linalg.qr(generator.standard_normal((3, 3)))[0] / radii[:, None]
        distance = (np.einsum("ij,jxyz->ixyz", axes, grid - center[:, None, None, None]) ** 2).sum(0) - 1
        inside = 1 / (1 + np.exp(np.clip(distance * SIZE / 2 * radii.min(), -50, 50)))
        drawn += (generator.uniform(0.1, 1) - drawn) * inside
    return np.abs(drawn + 0.005 * generator.standard_normal(drawn.shape)).astype(np.float32)


def texture() -> Volume:
    """Draw filtered noise."""
    noise = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((SIZE, SIZE, SIZE)), 1.0)
    return np.clip(0.5 + 0.12 * noise / noise.std(), 0, 1).astype(np.float32)


def cases(heads: list[dict[str, str]]) -> Iterator[tuple[str, Volume]]:
    """Yield names and volumes."""
    yield "ellipsoids", ellipsoids()
    yield "texture", texture()
    for head in heads:
        yield head["subject"], middle(head["image"])


def psnr(image: Tensor, truth: Tensor) -> float:
    """Return the PSNR (dB) with peak 1."""
    return -10 * float((image - truth).square().mean().log10())


def show_sharpness(heads: list[dict[str, str]]) -> None:
    """Print the sharpness of the middle 128 voxels, and of what they become with a blur of 1, 0.6 and 0 voxels."""
    sys.stdout.write("head | as it is | blurred, x2 | half, x2 | never, x2 | blurred, x3 | half, x3 | never, x3\n")
    for head in heads:
        truth = torch.from_numpy(middle(head["image"], 128))[None]
        made = [SimulateLowResolution(scale, sigma)(truth) for scale in (2, 3) for sigma in (1.0, 0.6, 0.0)]
        starts = [max(0, (n - 64) // 2) for n in truth.shape[1:]]
        part = truth[(slice(None), *(slice(start, start + 64) for start in starts))]
        found = (f"{sharpness(image[None]):.3f}" for image in (part, *made))
        sys.stdout.write(" | ".join([head["subject"], *found]) + "\n")
        sys.stdout.flush()


def main(heads_file: str, what: str = "") -> None:
    """Print a row for each volume and kind of low resolution."""
    heads = json.loads(Path(heads_file).read_text())
    if what == "sharpness":
        show_sharpness(heads)
        return
    network = CFTN(2, 32, 6, (3,), interpolation="spline").eval()
    weights = torch.load(WEIGHTS, weights_only=True)
    network.load_state_dict({name: values.float() for name, values in weights.items()})
    blurred, sharp = (SimulateLowResolution(2, sigma, normalize=False) for sigma in (1.0, 0.0))
    spline = Interpolation(2)
    inferer = Told(SimpleInferer(), BlurredVolumes(blurred, spline, 64, SHARPEST, sharp))
    sys.stdout.write("volume | sharpness | spline (dB) | network | self-tested | share kept\n")
    for name, volume in cases(heads):
        truth = torch.from_numpy(volume)[None]
        for kind, lower in (("blurred", blurred), ("never blurred", sharp)):
            low = lower(truth)[None]
            with torch.no_grad():
                base, tested = spline(low), inferer(low, network)
                alone = base + (tested - base) / inferer.share if inferer.share else network(low)
            reference = psnr(base, truth[None])
            gains = [psnr(image, truth[None]) - reference for image in (alone, tested)]
            row = [f"{name}, {kind}", f"{sharpness(low):.3f}", f"{reference:.2f}", *(f"{gain:+.2f}" for gain in gains)]
            sys.stdout.write(" | ".join([*row, f"{inferer.share:.2f}"]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

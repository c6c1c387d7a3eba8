"""Measure how CFTN does where the low resolution was blurred less than papers have it, beside what knows the blur.

python docs/measure_blurs.py HEADS.json SCALE NAME=WEIGHTS...: a datalist of volumes of high resolution, and weights of
CFTN; those that are called ReCNN are of ReCNN. The last weights of CFTN are self-tested too.

Printed is the PSNR (dB) of the middle 80 voxels of each head (78 at scale 3), whose range was mapped to 0..1: of the
cubic spline, of the linear filter that knows the blur (for means of voxels a Gaussian of the same spread), and of the
networks. Give two heads or more, and weights of CFTN.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from measure_self_test_volumes import Told, middle, psnr
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from mri_attention.networks.inferers import BlurredVolumes
from mri_attention.networks.nets import CFTN, Interpolation, ReCNN
from mri_attention.operators import resample_deconvolved
from mri_attention.transforms import SimulateLowResolution

SIGMAS = (1.0, 0.6, 0.0)
SHARPEST = {2: 0.04, 3: 0.16}
LEAST_SIGMA = 0.05  # of a filter for images without blur
OTHER = "ReCNN"


def load(name: str, file: str, scale: int) -> nn.Module:
    """Return a network with weights."""
    network = ReCNN(scale) if name == OTHER else CFTN(scale, 32, 6, (3,), interpolation="spline")
    weights = torch.load(file, weights_only=True)
    weights = weights.get("model", weights)
    network.load_state_dict({key: values.float() for key, values in weights.items()})
    return network.eval()


def lowered(truth: Tensor, scale: int) -> dict[str, tuple[Tensor, float]]:
    """Return volumes of low resolution by their name, and what the linear filter takes their blur for."""
    found = {}
    for sigma in SIGMAS:
        low = SimulateLowResolution(scale, sigma, normalize=False)(truth)[None]
        found[f"blur of {sigma:g}"] = (low, max(sigma, LEAST_SIGMA))
    mean = SimulateLowResolution(scale, normalize=False, profile="box")(truth)[None]
    return found | {"mean of voxels": (mean, float(np.sqrt((scale**2 - 1) / 12)))}  # the spread of a box


@torch.no_grad()
def main(heads: str, scale_text: str, *given: str) -> None:
    """Print a row for each head and blur, and the means."""
    scale = int(scale_text)
    networks = {name: load(name, file, scale) for name, file in (item.split("=", 1) for item in given)}
    *_, last = (network for name, network in networks.items() if name != OTHER)
    spline = Interpolation(scale)
    lower, sharp = (SimulateLowResolution(scale, sigma, normalize=False) for sigma in (1.0, 0.0))
    inferer = Told(SimpleInferer(), BlurredVolumes(lower, spline, 64, SHARPEST[scale], sharp))
    write(["head", "low resolution", "spline", "linear filter", *networks, "self-tested", "share kept"])
    rows: dict[str, list[list[float]]] = {}
    for head in json.loads(Path(heads).read_text()):
        truth = torch.from_numpy(middle(head["image"], 80 - 80 % scale))[None]
        for kind, (low, sigma) in lowered(truth, scale).items():
            filtered = resample_deconvolved(low, truth.shape[1:], sigma)
            tested = inferer(low, last)
            images = [spline(low), filtered, *(network(low) for network in networks.values()), tested]
            found = [*(psnr(image, truth[None]) for image in images), inferer.share]
            rows.setdefault(kind, []).append(found)
            write([head["subject"], kind, *(f"{value:.2f}" for value in found)])
    for kind, values in rows.items():
        spread = np.std(values, 0, ddof=1)
        write(["mean", kind, *(f"{m:.2f} ± {s:.2f}" for m, s in zip(np.mean(values, 0), spread, strict=True))])


def write(cells: list[str]) -> None:
    """Print a row."""
    sys.stdout.write(" | ".join(cells) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Measure what the samples of all coils bring, beside coils that are combined before the reconstruction.

python docs/measure_coils.py HEADS.json: a datalist of heads with T1w and T2w.

From the planes of each T2w, with a smooth phase, k-space of eight coils is simulated (:func:`wire_sensitivities`), with
noise of a share of the mean magnitude, and sampled. Printed is the PSNR (dB), mean of the planes, of zero-filling, of
compressed sensing and MANet with coils combined first; of compressed sensing with all coils, made to agree with all
samples, with the weight by the noise and with the best of several; and of MANet as `predict` runs it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from measure_held_out import BUNDLE, configuration, write
from torch import Tensor

from mri_attention.datasets.kspace import Kspace
from mri_attention.operators import image_to_kspace, kspace_to_image
from mri_attention.operators.multi_coil import total_variation_of_slices
from mri_attention.simulation.coils import wire_sensitivities
from mri_attention.transforms import AgreeWithCoilsd, LoadGuidedKspaced, RandSmoothPhase, ToSlicesd, mask_by_name
from mri_attention.transforms.load_guided_kspace import combine_coils

WAYS = (("equispaced", 4, 0.0), ("equispaced", 4, 0.1), ("random", 4, 0.1), ("equispaced", 6, 0.1))
ARMS = ("zero-filled", "combined: CS", "combined: MANet", "coils: CS", "coils: CS, best weight", "coils: MANet")
FACTORS = (0.1, 0.3, 1.0, 3.0)  # of the weight of total variation by the noise, that are tried
N_COILS, PHASE = 8, 60.0


def simulate(case: dict[str, Any], folder: Path, mask: str, acceleration: int, noise: float) -> Tensor:
    """Write guide, k-space of all coils and of their combination; return the truth, ``(1, slice, y, x)``."""
    loaded = ToSlicesd(["guide", "label"])(LoadGuidedKspaced()({"image": case["image"]}))
    truth, guide = (loaded[key].as_tensor() for key in ("label", "guide"))
    nib.save(nib.Nifti1Image(guide[0].permute(2, 1, 0).numpy(), np.eye(4)), folder / "guide_T1w.nii.gz")
    scan = RandSmoothPhase(spread=PHASE).set_random_state(0)(truth)[0]
    coils = wire_sensitivities((scan.shape[-2], scan.shape[-1]), N_COILS)
    generator = torch.Generator().manual_seed(0)
    kspace = image_to_kspace(coils * scan[:, None])
    kspace = kspace + noise * truth.mean() * torch.complex(
        *(torch.randn(kspace.shape, generator=generator) for _ in range(2))
    )
    drawn = mask_by_name(mask, acceleration)
    drawn.set_random_state(0).randomize(tuple(scan.shape))
    sampled = drawn.mask.bool().reshape(1, 1, *drawn.mask.shape[-2:]).expand(1, 1, *scan.shape[-2:])
    found = Kspace((kspace * sampled).numpy().astype(np.complex64), sampled.numpy())
    np.savez(folder / "coils.npz", kspace=found.data, mask=found.mask[0, 0])
    np.savez(folder / "combined.npz", kspace=combine_coils(found)[0][0].numpy(), mask=found.mask[0, 0])
    return truth


def reconstruct(folder: Path, name: str, network: torch.nn.Module) -> tuple[dict[str, Any], Tensor]:
    """Return what the network gets of k-space, and the image that it makes."""
    case = {"subject": "sub", "image": [str(folder / "guide_T1w.nii.gz")], "kspace": str(folder / name)}
    config = configuration(cases=[case], self_test=False)
    data = config.get_parsed_content("preprocessing")(case)
    plain = {key: torch.as_tensor(data[key]).as_subclass(Tensor)[None] for key in ("image", "guide", "measured")}
    rest = data["sampled"][None], data["kspace_noise"].as_subclass(Tensor)[None], plain["measured"]
    image = config.get_parsed_content("inferer").inferer(plain["image"], network, plain["guide"], *rest)
    return data, image[0]


def measure(truth: Tensor, folder: Path, network: torch.nn.Module) -> list[float]:
    """Return the PSNR of :data:`ARMS`."""
    found = []
    for name in ("combined.npz", "coils.npz"):
        data, image = reconstruct(folder, name, network)
        scale = data["zero_filled"].as_subclass(Tensor).amax((-1, -2), keepdim=True)
        start = kspace_to_image(data["image"].as_subclass(Tensor)).abs()
        images = [data["zero_filled"].as_subclass(Tensor) / scale, start]
        if "coils" in data:
            tried = [agreeing(data, x) for x in (start, *(total_variation(data, f) for f in FACTORS))]
            values = [psnr(x * scale, truth) for x in tried]
            found += [values[0], max(values), psnr(agreeing(data, image) * scale, truth)]
        else:
            found += [psnr(x * scale, truth) for x in (*images, image)]
    return found


def agreeing(data: dict[str, Any], image: Tensor) -> Tensor:
    """Return an image that agrees with the samples of all coils."""
    result: Tensor = AgreeWithCoilsd("pred")(data | {"pred": image})["pred"]
    return result


def total_variation(data: dict[str, Any], factor: float) -> Tensor:
    """Return the image of compressed sensing with a multiple of its weight."""
    names = ("coils", "coil_maps", "sampled", "kspace_noise")
    coils, maps, mask, noise = (data[name].as_subclass(Tensor) for name in names)
    return total_variation_of_slices(coils, maps, mask, noise, factor=factor).abs()


def psnr(image: Tensor, truth: Tensor) -> float:
    """Return the mean PSNR of planes ``(1, slice, y, x)``, dB."""
    errors = (image - truth).square().mean((-1, -2))
    return float((10 * torch.log10(truth.amax((-1, -2)).square() / errors)).mean())


def main(heads: str) -> None:
    """Print a row for each head, and for each way to sample."""
    network = configuration().get_parsed_content("network").eval()
    weights = torch.load(BUNDLE / "models" / "model.pt", weights_only=True)
    network.load_state_dict({name: values.float() for name, values in weights.items()})
    write(" | ".join(["sampling", "head", *ARMS]))
    for mask, acceleration, noise in WAYS:
        rows = []
        for case in configuration(dataset_dir=heads).get_parsed_content("cases"):
            with tempfile.TemporaryDirectory() as folder:
                truth = simulate(case, Path(folder), mask, acceleration, noise)
                rows.append(measure(truth, Path(folder), network))
            told = f"{mask} {acceleration}x, noise {noise:.0%}"
            write(" | ".join([told, case["subject"], *(f"{value:.2f}" for value in rows[-1])]))
        means, spreads = np.mean(rows, 0), np.std(rows, 0, ddof=1)
        write(" | ".join([told, "mean", *(f"{m:.2f} ± {s:.2f}" for m, s in zip(means, spreads, strict=True))]))


if __name__ == "__main__":
    with torch.no_grad():
        main(sys.argv[1])

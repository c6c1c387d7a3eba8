"""Measure whether samples that are left out tell where MANet harms.

python docs/measure_held_out.py HEADS.json: a datalist of heads with T1w and T2w.

For each head, way to sample, noise and guide (the head's own, mirrored, moved, that of the next head, noise, nothing),
printed are the errors on samples that were left out, of the network and of compressed sensing, and by how
many dB the network's image is nearer to the truth than that of compressed sensing; then a summary of each guide.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.bundle import ConfigParser
from torch import Tensor

from mri_attention.networks.inferers import HeldOutSamplesInferer, SliceBatchInferer
from mri_attention.networks.inferers.held_out_samples import HeldOutTrial
from mri_attention.networks.inferers.slices import KspaceInputs
from mri_attention.operators import CompressedSensingSolver, kspace_to_image

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "guided_reconstruction_manet"
WAYS = (("random", 4, 0.0), ("uniform", 6, 0.1), ("radial", 6, 0.0), ("spiral", 6, 0.1))
MOVED = 8  # pixels
NAMES = ("image", "guide", "sampled", "kspace_noise", "measured", "label", "zero_filled")


def configuration(**settings: Any) -> ConfigParser:
    """Return the bundle's inference with settings."""
    config = ConfigParser()
    config.read_config(BUNDLE / "configs" / "inference.yaml")
    config.update({"bundle_root": str(BUNDLE), "device": torch.device("cpu"), "register": False, **settings})
    return config


def prepare(heads: str, mask: str, acceleration: int, noise: float) -> dict[str, dict[str, Tensor]]:
    """Return what the network gets of each head, and the truth, in batches of one."""
    config = configuration(dataset_dir=heads, mask=mask, acceleration=acceleration, noise=noise)
    transform = config.get_parsed_content("preprocessing")
    loaded = {case["subject"]: transform(dict(case)) for case in config.get_parsed_content("cases")}
    return {
        subject: {name: torch.as_tensor(data[name]).as_subclass(Tensor)[None] for name in NAMES if name in data}
        for subject, data in loaded.items()
    }


def guides(own: Tensor, other: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield names and guides."""
    yield "own", own
    yield "mirrored", own.flip(-1)
    yield f"moved by {MOVED} pixels", own.roll(MOVED, -2)
    yield "of the next head", torch.nn.functional.interpolate(other, own.shape[2:], mode="trilinear")
    yield "noise", torch.rand(own.shape, generator=torch.Generator().manual_seed(0))
    yield "nothing", torch.zeros_like(own)


def gain(image: Tensor, start: Tensor, truth: Tensor) -> float:
    """Return by how many dB an image is nearer to the truth than the start."""
    errors = [float((x - truth).square().mean()) for x in (image, start)]
    return 10 * math.log10(errors[1] / errors[0])


class Row(NamedTuple):
    """A trial."""

    guide: str
    network: float
    start: float
    gain: float


def summary(rows: list[Row]) -> Iterator[str]:
    """Yield a line for each guide: trials, how often MANet harms, what is told, and the worst gain before and after."""
    yield "guide | trials | harm | fails | hardly of use | mean gain (dB) | worst gain (dB) | worst, tested (dB)"
    for name in dict.fromkeys(row.guide for row in rows):
        some = [row for row in rows if row.guide == name]
        trials = [HeldOutTrial(row.network, row.start) for row in some]
        fails, hardly = ([getattr(trial, name) for trial in trials] for name in ("fails", "hardly_helps"))
        kept = [0.0 if fail else row.gain for row, fail in zip(some, fails, strict=True)]
        gains = [row.gain for row in some]
        counts = f"{len(some)} | {sum(g < 0 for g in gains)} | {sum(fails)} | {sum(hardly)}"
        yield f"{name} | {counts} | {sum(gains) / len(gains):+.2f} | {min(gains):+.2f} | {min(kept):+.2f}"


def main(heads: str) -> None:
    """Print a row for each trial."""
    network = configuration().get_parsed_content("network").eval()
    weights = torch.load(BUNDLE / "models" / "model.pt", weights_only=True)
    network.load_state_dict({name: values.float() for name, values in weights.items()})
    inferer = HeldOutSamplesInferer(SliceBatchInferer(), CompressedSensingSolver(n_iterations=20, keep_samples=True))
    rows: list[Row] = []
    write("sampling | head | guide | error with MANet | error without | gain (dB)")
    for mask, acceleration, noise in WAYS:
        cases = prepare(heads, mask, acceleration, noise)
        for (subject, case), other in zip(cases.items(), [*cases.values()][1:] + [*cases.values()][:1], strict=True):
            sampled = case["sampled"].bool().expand_as(case["image"])
            start = kspace_to_image(case["image"]).abs()
            truth = case["label"] / case["zero_filled"].amax((-1, -2), keepdim=True)
            for name, guide in guides(case["guide"], other["guide"]):
                rest = guide, sampled, case.get("kspace_noise"), case["measured"]
                trial = inferer.trial(network, KspaceInputs(case["image"], *rest))
                image = inferer.inferer(case["image"], network, *rest)
                if trial is None or not isinstance(image, Tensor):
                    raise ValueError(f"{subject} cannot be tried")
                row = Row(name, trial.network, trial.start, gain(image, start, truth))
                rows.append(row)
                told = f"{mask} {acceleration}x, noise {noise:.0%} | {subject} | {name}"
                write(f"{told} | {row.network:.3f} | {row.start:.3f} | {row.gain:+.2f}")
    for line in summary(rows):
        write(line)


def write(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with torch.no_grad():
        main(sys.argv[1])

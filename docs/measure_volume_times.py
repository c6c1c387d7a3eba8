"""Measure how long CFTN, ReCNN and SRCNN3D take for a volume at x2, one after the other in several rounds.

python docs/measure_volume_times.py [EDGE] [ROUNDS]: a random cube of low resolution. Networks have random weights, and
tiles and precision of the bundle's configs; threads are those of OMP_NUM_THREADS. Printed are the medians of seconds,
and the median and range of their ratios to CFTN.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from monai.bundle import ConfigParser

BUNDLE = Path(__file__).parents[1] / "bundles" / "brain_super_resolution_cftn"
OVERLAYS = {"CFTN": [], "ReCNN": ["recnn"], "SRCNN3D": ["srcnn3d"]}


def network_and_inferer(name: str) -> tuple[torch.nn.Module, Any]:
    """Build them as the bundle does."""
    config = ConfigParser()
    files = ["inference", *(f"networks/{overlay}" for overlay in OVERLAYS[name])]
    config.read_config([str(BUNDLE / "configs" / f"{file}.yaml") for file in files])
    config.update({"bundle_root": str(BUNDLE), "device": torch.device("cpu"), "self_test": False})
    return config.get_parsed_content("network").eval(), config.get_parsed_content("inferer").inferer


@torch.no_grad()
def seconds(network: torch.nn.Module, inferer: Any, image: torch.Tensor) -> float:
    """Time one volume."""
    start = time.perf_counter()
    inferer(image, network)
    return time.perf_counter() - start


def main(edge: int = 64, rounds: int = 3) -> None:
    """Print a row for each network."""
    built = {name: network_and_inferer(name) for name in OVERLAYS}
    image = torch.rand(1, 1, edge, edge, edge, generator=torch.Generator().manual_seed(0))
    for network, inferer in built.values():
        seconds(network, inferer, image[..., :16, :16, :16])
    times: dict[str, list[float]] = {name: [] for name in built}
    for _ in range(rounds):
        for name, (network, inferer) in built.items():
            times[name].append(seconds(network, inferer, image))
    sys.stdout.write("network | seconds | ratio to CFTN\n")
    for name, found in times.items():
        ratios = [own / cftn for own, cftn in zip(found, times["CFTN"], strict=True)]
        ratio = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        sys.stdout.write(f"{name} | {median(found):.1f} | {ratio}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

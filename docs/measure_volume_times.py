"""Measure how long CFTN, ReCNN and SRCNN3D take for a volume at x2, one after the other in several rounds.

python docs/measure_volume_times.py [EDGE] [ROUNDS]: a random cube of low resolution. Networks have random weights, and
tiles and precision of the bundle's configs; threads are those of OMP_NUM_THREADS. Printed are the medians of seconds,
the median and range of their ratios to CFTN, and the peak of the memory of a process of its own, with libraries (MiB).
"""

from __future__ import annotations

import json
import resource
import subprocess
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


def peak(name: str, edge: int) -> float:
    """Return the peak of the memory of a process of its own, MiB."""
    command = [sys.executable, __file__, "--memory", name, str(edge)]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]))


def show_memory(name: str, edge: int) -> None:
    """Print the peak of this process."""
    network, inferer = network_and_inferer(name)
    seconds(network, inferer, torch.rand(1, 1, edge, edge, edge))
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}\n")


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
    sys.stdout.write("network | seconds | ratio to CFTN | peak of memory (MiB)\n")
    for name, found in times.items():
        ratios = [own / cftn for own, cftn in zip(found, times["CFTN"], strict=True)]
        ratio = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        sys.stdout.write(f"{name} | {median(found):.1f} | {ratio} | {peak(name, edge):.0f}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        show_memory(sys.argv[2], int(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))

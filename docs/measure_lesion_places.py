"""Compare the places of simulated lesions, as found in images, with those by the true labels: the table in the docs.

python docs/measure_lesion_places.py ../shared/data/anatomies
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri_attention.metrics.brain_parts import BrainParts, find_brain_parts
from mri_attention.metrics.lesion_places import PLACES, Lesion, find_lesions
from mri_attention.simulation.acquisition import acquire
from mri_attention.simulation.anatomy import list_images, read_label_map
from mri_attention.simulation.cohort import BRAIN_CENTER, Head, make_head
from mri_attention.simulation.deformation import Sampler, SmoothDeformation
from mri_attention.simulation.protocols import draw_protocols

CHOICES = {"T1w and FLAIR": ("T1w", "FLAIR"), "FLAIR alone": ("FLAIR",)}
SEED = 7


def main() -> None:
    """Print a table of true by found places for each choice of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("--numbers", type=int, nargs="*", help="Of the label maps, from 1; all by default.")
    options = parser.parse_args()
    tables = {choice: np.zeros((len(PLACES), len(PLACES)), int) for choice in CHOICES}
    for choice, true, found in compared(options.anatomies, options.numbers):
        for lesion, other in zip(true, found, strict=True):
            tables[choice][PLACES.index(lesion.place), PLACES.index(other.place)] += 1
    for choice, table in tables.items():
        print_table(choice, table)


def compared(folder: Path, numbers: list[int] | None) -> Iterator[tuple[str, list[Lesion], list[Lesion]]]:
    """Yield the lesions of each head with their true and with their found places."""
    for number, path in enumerate(list_images(folder, "_dseg", "label maps"), start=1):
        if numbers and number not in numbers:
            continue
        head, truth, images = simulate(path, number)
        true = find_lesions(head.lesions, head.grid.affine, {}, parts=truth)
        for choice, names in CHOICES.items():
            chosen = {name: images[name] for name in names}
            parts = find_brain_parts(chosen, head.grid.affine, head.lesions)
            yield choice, true, find_lesions(head.lesions, head.grid.affine, chosen, parts=parts)


def simulate(path: Path, number: int) -> tuple[Head, BrainParts, dict[str, NDArray[np.float32]]]:
    """Make a head of 1 mm as ``mri-attention simulate`` does, the true parts of its brain, and its images."""
    anatomy, rng, again = read_label_map(path), np.random.default_rng([SEED, number]), [SEED, number]
    head = make_head(anatomy, rng)
    same = np.random.default_rng(again)  # draws the head's deformation once more
    scale = (np.clip(same.normal(1180, 100), 1000, 1400) / anatomy.brain_volume) ** (1 / 3)
    points = SmoothDeformation(same, BRAIN_CENTER, scale=scale)(head.grid)
    deformed = Sampler(points, anatomy.shape, anatomy.affine)
    names = ("ventricles", "choroid_plexus", "cortex", "infratentorial")
    ventricles, plexus, cortex, below = (deformed(anatomy.read(name)) > 0.5 for name in names)
    images = {
        contrast: acquire(head.tissues, protocol, head.grid, contrast, rng, None)[0] * head.brain
        for contrast, protocol in draw_protocols(rng).items()
    }
    return head, BrainParts(head.grid.affine, ventricles | plexus, cortex, below), images


def print_table(choice: str, table: NDArray[np.int_]) -> None:
    """Print counts as Markdown, with the share that agrees and Cohen's kappa."""
    share = table.trace() / table.sum()
    chance = float(table.sum(0) @ table.sum(1)) / table.sum() ** 2
    kappa = (share - chance) / (1 - chance)
    lines = [f"\n{choice}: {100 * share:.0f} % of {table.sum()} lesions agree, kappa {kappa:.2f}\n"]
    lines += ["| true \\ found | " + " | ".join(PLACES) + " |", "|---|" + "---:|" * len(PLACES)]
    lines += [f"| {place} | {' | '.join(map(str, row))} |" for place, row in zip(PLACES, table, strict=True)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

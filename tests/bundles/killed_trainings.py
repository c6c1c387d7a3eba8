"""Trainings of the bundles that are killed and go on.

As a program, for as many times as wanted: ``python -m tests.bundles.killed_trainings BUNDLE 20``
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from mri_attention.simulation.cohort import simulate_dataset
from tests.bundles.bundle_configs import ALL, BundleConfigs

EPOCHS = 6


def train_in_child(bundle: BundleConfigs, output: Path, dataset: Path, **settings: Any) -> Any:
    """Start a training in a process of its own, which has all imports already."""
    given = {"epochs": EPOCHS, "validation_share": 0.5, **settings}
    child = multiprocessing.get_context("fork").Process(target=_train, args=(bundle, output, dataset, given))
    child.start()
    return child


def _train(bundle: BundleConfigs, output: Path, dataset: Path, settings: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    bundle.train(output, dataset, **settings)


def train_to_the_end(bundle: BundleConfigs, output: Path, dataset: Path, **settings: Any) -> float:
    """Train in a process of its own and return how many seconds it took."""
    start = time.monotonic()
    child = train_in_child(bundle, output, dataset, **settings)
    child.join()
    assert child.exitcode == 0
    return time.monotonic() - start


def train_with_kills(
    bundle: BundleConfigs, output: Path, dataset: Path, moments: list[float], **settings: Any
) -> list[str]:
    """Train, killed after each of ``moments`` seconds, and then to the end; return the files after each kill."""
    left = []
    for moment in moments:
        child = train_in_child(bundle, output, dataset, resume=True, **settings)
        child.join(moment)
        child.kill()
        child.join()
        left.append(" ".join(sorted(file.name for file in output.glob("models/checkpoint*.pt"))) or "nothing")
    train_to_the_end(bundle, output, dataset, resume=True, **settings)
    return left


def last_checkpoint(output: Path) -> dict[str, Any]:
    """Return what the training left."""
    content: dict[str, Any] = torch.load(output / "models" / "checkpoint_last.pt", weights_only=True)
    return content


def differing_weights(first: Path, second: Path) -> list[str]:
    """Return the names of weights, last and best ones, that are not equal bit for bit."""
    ours, theirs = (last_checkpoint(output)["model"] for output in (first, second))
    best, other_best = (torch.load(output / "models" / "model.pt", weights_only=True) for output in (first, second))
    assert ours.keys() == theirs.keys()
    names = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    return names + [f"best {name}" for name in best if not torch.equal(best[name], other_best[name])]


def main(name: str, n_times: int) -> None:
    """Kill trainings of one bundle ``n_times`` times three times, and tell what became of each."""
    bundle = next(bundle for bundle in ALL if bundle.name == name)
    with tempfile.TemporaryDirectory() as folder:
        dataset, whole = Path(folder, "cohort"), Path(folder, "whole")
        simulate_dataset(dataset, n_subjects=2, seed=1, spacing=4.0, susceptibility=True)
        seconds = train_to_the_end(bundle, whole, dataset)
        tell(f"{name}: {EPOCHS} epochs in {seconds:.1f} s, not killed")
        for number in range(n_times):
            draw = random.Random(number)
            moments = [draw.uniform(0.1, 0.7) * seconds for _ in range(3)]
            output = Path(folder, str(number))
            left = train_with_kills(bundle, output, dataset, moments)
            kills = "; ".join(f"{moment:.2f} s: {files}" for moment, files in zip(moments, left, strict=True))
            verdict = differing_weights(whole, output) or "equal bit for bit"
            tell(f"{number + 1:2d}. killed after {kills}; then to the end: {verdict}")


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

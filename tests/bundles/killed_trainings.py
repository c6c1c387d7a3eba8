"""Trainings of the bundles that are killed and go on.

As a program, for as many times as wanted: ``python -m tests.bundles.killed_trainings BUNDLE 20``
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow

from mri_attention.simulation.cohort import simulate_dataset
from tests.bundles.bundle_configs import ALL, BundleConfigs

EPOCHS = 12
SAME = {"epochs": EPOCHS, "half_precision": False}
"""Of trainings to compare: by timing, each would choose its own precision."""
N_KILLS = 3


class Child:
    """A training in a process of its own, which has all imports already; ``steps`` counts those that it has done.

    Args:
        bundle: whose network is trained.
        output: folder of the training.
        dataset: of the cohort.
        settings: config ids and values.
    """

    def __init__(self, bundle: BundleConfigs, output: Path, dataset: Path, **settings: Any) -> None:
        given = {"dataset_dir": str(dataset), "output_dir": str(output), **bundle.short, **SAME, **settings}
        self.steps = RawValue("i", 0)
        self.process = multiprocessing.get_context("fork").Process(target=self._train, args=(bundle, given))
        self.process.start()

    def _train(self, bundle: BundleConfigs, settings: dict[str, Any]) -> None:
        torch.set_num_threads(1)
        files = bundle.files("train")
        workflow = ConfigWorkflow(
            files, workflow_type="train", logging_file=False, bundle_root=str(bundle.root), **settings
        )
        workflow.initialize()
        workflow.trainer.add_event_handler(Events.ITERATION_STARTED, self._count)
        workflow.run()

    def _count(self) -> None:
        self.steps.value += 1

    def wait_for_first_step(self) -> None:
        """Return when the first step is being done, or the training has ended without any."""
        while not self.steps.value and self.process.is_alive():
            time.sleep(0.001)

    def kill(self) -> bool:
        """Send SIGKILL; return whether it came before the end."""
        self.process.kill()
        self.process.join()
        return self.process.exitcode == -signal.SIGKILL

    def finish(self) -> float:
        """Wait for the end and return the seconds since the first step."""
        self.wait_for_first_step()
        start = time.monotonic()
        self.process.join()
        assert self.process.exitcode == 0
        return time.monotonic() - start


@dataclass(frozen=True)
class Kill:
    """A kill of a training.

    Attributes:
        seconds: since the first step after the start.
        steps: begun since the start.
        files: checkpoints that were left.
    """

    seconds: float
    steps: int
    files: list[str]

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.steps} steps: {', '.join(self.files) or 'nothing'}"


def train_with_kills(
    bundle: BundleConfigs, output: Path, dataset: Path, seconds: float, draw: random.Random, **settings: Any
) -> list[Kill]:
    """Train, killed at three moments, and then to the end.

    Args:
        bundle: whose network is trained.
        output: folder of the training.
        dataset: of the cohort.
        seconds: that a training takes which is not killed, from its first step on.
        draw: draws the moments, after the first step and within what is left of the training.
        settings: config ids and values.

    Returns:
        the kills; a training that was done before its third kill is done once more from its beginning.
    """
    kills: list[Kill] = []
    while len(kills) < N_KILLS:
        moment = draw.uniform(0.0, 0.7) * seconds * (1 - _epochs_in(output) / EPOCHS)
        child = Child(bundle, output, dataset, resume=True, **settings)
        child.wait_for_first_step()
        time.sleep(moment)
        if child.kill():
            kills.append(Kill(moment, child.steps.value, [file.name for file in _checkpoints(output)]))
        else:
            assert child.process.exitcode == 0
            kills.clear()
            shutil.rmtree(output)
    Child(bundle, output, dataset, resume=True, **settings).finish()
    return kills


def _checkpoints(output: Path) -> list[Path]:
    files = output.glob("models/checkpoint_epoch=*.pt")
    return sorted(files, key=lambda file: int(file.stem.partition("=")[2]))


def _epochs_in(output: Path) -> int:
    return max((int(file.stem.partition("=")[2]) for file in _checkpoints(output)), default=0)


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


def main(name: str, n_times: int, **settings: Any) -> int:
    """Kill trainings of one bundle ``n_times`` times three times, tell of each, and return how many ended otherwise."""
    bundle = next(bundle for bundle in ALL if bundle.name == name)
    n_differing = 0
    with tempfile.TemporaryDirectory() as folder:
        dataset, whole = Path(folder, "cohort"), Path(folder, "whole")
        simulate_dataset(dataset, n_subjects=2, seed=1, spacing=4.0, susceptibility=True)
        seconds = Child(bundle, whole, dataset, **settings).finish()
        tell(f"{name} {settings}: {EPOCHS} epochs, {seconds:.1f} s from the first step on, not killed")
        for number in range(n_times):
            output = Path(folder, str(number))
            kills = train_with_kills(bundle, output, dataset, seconds, random.Random(number), **settings)
            differing = differing_weights(whole, output)
            n_differing += bool(differing)
            tell(f"{number + 1:2d}. killed after {'; '.join(map(str, kills))}")
            tell(f"    then to the end: {differing or 'equal bit for bit'}")
    return n_differing


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle")
    parser.add_argument("times", type=int)
    parser.add_argument("--num_workers", type=int, default=0)
    given = parser.parse_args()
    sys.exit(min(1, main(given.bundle, given.times, num_workers=given.num_workers)))

"""Each command, given damaged files: it tells of them in one line, or does what it does without the damage.

``MRI_ATTENTION_FUZZ`` is the number of damages for each command, in the place of a hundred.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from mri_attention.scripts.running.bundle import BUNDLES
from tests.fuzz.corruptions import FILES, IMAGES, LABELS, OF_SOME_CONTRASTS, TEXTS, TRAINED, Corruption, Outcome
from tests.fuzz.inputs import kspace_case, label_maps, lesion_dataset, susceptibility_case, two_contrasts

Run = Callable[..., int]
TRIALS = int(os.environ.get("MRI_ATTENTION_FUZZ", "100"))
TINY = ["--network_def::network::channels", "[8,16]", "--patch", "[16,16,16]"]
ONE_STEP = ["--epochs", "1", "--steps", "1", "--val_interval", "1", "--validation_share", "0.34"]


@dataclass(frozen=True)
class Command:
    """A command on files that can be damaged.

    Attributes:
        prepare: writes them into a new folder.
        arguments: of the command for that folder and an output folder.
        damages: what may happen to the files.
        files: which of them, as a pattern.
        share: of the trials.
        keep: whether a file of the output must not depend on harmless changes.
    """

    prepare: Callable[[Path], object]
    arguments: Callable[[Path, Path], Sequence[object]]
    damages: Sequence[Corruption] = IMAGES
    files: str = "**/*.nii.gz"
    share: float = 1.0
    keep: Callable[[Path], bool] = lambda path: path.name.endswith(".nii.gz")


def predict(bundle: str, images: Sequence[str], folder: Path, output: Path, *others: object) -> list[object]:
    named = [word for contrast in images for word in ("--image", f"{contrast}={folder / f'sub-01_{contrast}.nii.gz'}")]
    return ["predict", bundle, "--output-dir", output, *named, *others]


def predict_lesions(folder: Path, output: Path) -> list[object]:
    anat = folder / "sub-01" / "anat"
    named = [
        word for name in ("T1w", "T2w", "FLAIR") for word in ("--image", f"{name}={anat / f'sub-01_{name}.nii.gz'}")
    ]
    return ["predict", "ms_lesion_segmentation_fanet", "--output-dir", output, *named]


def predict_susceptibility(folder: Path, output: Path) -> list[object]:
    mask = ("--mask", folder / "sub-01_mask.nii.gz")
    return predict("qsm_reconstruction_fanet", ["localfield"], folder, output, *mask)


def predict_from_kspace(folder: Path, output: Path) -> list[object]:
    return predict("guided_reconstruction_manet", ["T1w"], folder, output, "--kspace", folder / "sub-01_kspace.npz")


def evaluate(folder: Path, output: Path) -> list[object]:
    options = ("--dataset-dir", folder, "--output-dir", output, "--subject", "sub-01")
    return ["evaluate", "ms_lesion_segmentation_fanet", *options]


COMMANDS = {
    "predict lesions": Command(lesion_dataset, predict_lesions, files="sub-01/anat/*.nii.gz", share=0.2),
    "predict susceptibility": Command(susceptibility_case, predict_susceptibility, share=0.2),
    "predict from k-space": Command(kspace_case, predict_from_kspace, damages=FILES, files="*kspace.npz", share=0.1),
    "predict with a guide of k-space": Command(kspace_case, predict_from_kspace, share=0.1),
    "predict a finer T2w": Command(
        two_contrasts, partial(predict, "guided_super_resolution_sanet", ["T1w", "T2w"]), share=0.2
    ),
    "predict a finer image": Command(
        two_contrasts, partial(predict, "brain_super_resolution_cftn", ["T1w"]), files="*T1w.nii.gz", share=0.2
    ),
    "evaluate": Command(
        lesion_dataset,
        evaluate,
        damages=OF_SOME_CONTRASTS,
        files="sub-01/anat/*.nii.gz",
        share=0.6,
    ),
    "evaluate with truth": Command(
        lesion_dataset,
        evaluate,
        damages=LABELS,
        files="derivatives/truth/sub-01/anat/*.nii.gz",
        share=0.4,
        keep=lambda path: path.name == "metrics.csv",
    ),
    "train": Command(
        lesion_dataset,
        lambda folder, output: (
            "train",
            "ms_lesion_segmentation_fanet",
            *("--dataset-dir", folder, "--output-dir", output, "--", *TINY, *ONE_STEP),
        ),
        damages=TRAINED,
        keep=lambda path: path.name == "checkpoint_last.pt",
    ),
    "prepare": Command(
        label_maps,
        lambda folder, output: ("prepare", "qsm-labels", "--source", folder, "--output", output),
        damages=LABELS,
    ),
    "convert-weights": Command(
        lambda folder: torch.save(attention_weights(), folder / "original.pth"),
        lambda folder, output: (
            *("convert-weights", "channel-attention", folder / "original.pth"),
            *("--output", output / "converted.pt"),
        ),
        damages=FILES,
        files="*.pth",
        keep=lambda path: path.suffix == ".pt",
    ),
    "export": Command(
        lambda folder: shutil.copytree(BUNDLES / "brain_super_resolution_cftn", folder / "bundle"),
        lambda folder, output: ("export", folder / "bundle", "--output", output),
        damages=TEXTS,
        files="bundle/configs/[im][en]*.[yj]*",
        keep=lambda path: path.name == "inference.yaml",
    ),
}


def attention_weights() -> dict[str, torch.Tensor]:
    """Weights of RCAN's channel attention."""
    shapes = {"0.weight": (2, 8, 1, 1), "0.bias": (2,), "2.weight": (8, 2, 1, 1), "2.bias": (8,)}
    random = torch.Generator().manual_seed(0)
    return {f"conv_du.{name}": torch.randn(shape, generator=random) for name, shape in shapes.items()}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", COMMANDS)
def test_damaged_files_are_told_or_do_not_matter(
    name: str, run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[name]
    command.prepare(folder_in(tmp_path, "valid"))
    assert run_command(*command.arguments(tmp_path / "valid", tmp_path / "wanted")) == 0, capsys.readouterr().err
    capsys.readouterr()
    wanted = results(tmp_path / "wanted", command)
    files = sorted(path.relative_to(tmp_path / "valid") for path in (tmp_path / "valid").glob(command.files))
    faults = []
    for trial in range(round(TRIALS * command.share)):
        random = np.random.default_rng([trial, len(name)])
        damage = command.damages[trial % len(command.damages)]
        place = files[random.integers(len(files))]
        given, output = tmp_path / f"given-{trial}", tmp_path / f"output-{trial}"
        shutil.copytree(tmp_path / "valid", given)
        damage.change(given / place, random)
        code = run_command(*command.arguments(given, output))
        told = capsys.readouterr().err
        if fault := fault_of(damage.outcome, code, told, output, wanted, command):
            faults.append(f"{place} {damage.name} (trial {trial}): {fault}")
        faults += [f"trial {trial} left {path.name}" for path in tmp_path.rglob(".mri-attention-*")]
        for folder in (given, output):
            shutil.rmtree(folder, ignore_errors=True)
    assert not faults, "\n".join(faults)


def folder_in(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def results(output: Path, command: Command) -> dict[str, Path]:
    return {str(path.relative_to(output)): path for path in sorted(output.rglob("*")) if command.keep(path)}


def fault_of(
    outcome: Outcome, code: int, told: str, output: Path, wanted: dict[str, Path], command: Command
) -> str | None:
    """Tell what is wrong with how a command ended, None if nothing is."""
    errors = [line for line in told.replace("\r", "\n").splitlines() if line.startswith("Error: ")]
    last = told.strip().splitlines()[-1:] or ["nothing"]
    if "Traceback" in told or code not in (0, 2):
        return f"exit {code}: {last[0]}"
    if code == 2:
        if len(errors) != 1 or "; " not in errors[0]:
            return f"refused in {len(errors)} lines, or without a remedy: {last[0]}"
        if any(path.is_file() for path in output.rglob("*")):
            return f"left {[path.name for path in output.rglob('*')]}"
        return f"refused: {last[0]}" if outcome is Outcome.SAME else None
    if outcome is Outcome.REFUSED:
        return "exit 0"
    if outcome is Outcome.ANY:
        return None
    if outcome is Outcome.TOLD:
        return None if "Warning: " in told else "exit 0 without a warning"
    return difference(results(output, command), wanted)


def difference(found: dict[str, Path], wanted: dict[str, Path]) -> str | None:
    if found.keys() != wanted.keys():
        return f"wrote {sorted(found)} instead of {sorted(wanted)}"
    return next((f"{name} differs" for name, path in found.items() if not alike(path, wanted[name])), None)


def alike(found: Path, wanted: Path) -> bool:
    """Whether two files hold the same, images up to rounding."""
    if found.name.endswith(".nii.gz"):
        images = [nib.as_closest_canonical(nib.load(path)) for path in (found, wanted)]
        arrays = [np.asarray(image.dataobj, dtype=float) for image in images]
        scale = np.abs(arrays[1]).max()
        return arrays[0].shape == arrays[1].shape and bool(np.abs(arrays[0] - arrays[1]).max() <= 1e-3 * scale)
    if found.suffix == ".pt":
        states = [torch.load(path, weights_only=True)["model"] for path in (found, wanted)]
        return all(torch.allclose(states[0][key], value, atol=1e-3) for key, value in states[1].items())
    return found.read_bytes() == wanted.read_bytes()

"""Tests of the commands on bundles that bring their own code, as exported ones do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.scripts.conftest import lesion_mask

Run = Callable[..., int]

CODE = '''
import torch


class InputError(ValueError):
    pass


class Marker(torch.nn.Conv3d):
    """Marks the lesions, or the rest."""

    def __init__(self, sign):
        super().__init__(3, 2, 1)
        self.sign = sign

    def forward(self, x):
        if self.sign == 0:
            raise InputError("sign: is zero; give another")
        return self.sign * super().forward(x)
'''


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Callable[[str, int], Path]:
    """Make a copy of the tiny bundle with a network of its own."""

    def make(name: str, sign: int) -> Path:
        folder = tmp_path / name
        shutil.copytree(tiny_bundle, folder)
        (folder / "scripts").mkdir()
        (folder / "scripts" / "__init__.py").touch()
        (folder / "scripts" / "marker.py").write_text(CODE)
        for config in ("inference", "train"):
            file = folder / "configs" / f"{config}.yaml"
            old = "{_target_: torch.nn.Conv3d, in_channels: 3, out_channels: 2, kernel_size: 1}"
            file.write_text(file.read_text().replace(old, f"{{_target_: scripts.marker.Marker, sign: {sign}}}"))
        return folder

    return make


def found(output: Path) -> np.ndarray:
    return np.asarray(nib.load(output / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz").dataobj)


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_each_bundle_is_run_with_its_own_code(
    command: str, run_command: Run, bundle: Callable[[str, int], Path], tiny_dataset: Path, tmp_path: Path
) -> None:
    for sign in (1, -1):
        output = tmp_path / f"out{sign}"
        arguments = ("--dataset-dir", tiny_dataset, "--output-dir", output)
        assert run_command(command, bundle(f"marker{sign}", sign), *arguments) == 0
        np.testing.assert_array_equal(found(output), lesion_mask() if sign == 1 else 1 - lesion_mask())
    assert "scripts.marker" not in sys.modules


def test_trains_with_its_own_code(
    run_command: Run, bundle: Callable[[str, int], Path], tiny_dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert run_command("train", bundle("marker", 1), "--dataset-dir", tiny_dataset, "--output-dir", output) == 0
    assert (output / "models" / "model.pt").is_file()


def test_its_own_input_errors_end_with_one_line(
    run_command: Run,
    bundle: Callable[[str, int], Path],
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out")
    assert run_command("predict", bundle("marker", 0), *arguments) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "Error: sign: is zero; give another"
    assert not (tmp_path / "out").exists()

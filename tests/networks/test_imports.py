"""What the import of networks loads, in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import {package}
print(*[name for name in sys.modules if name in {unwanted}])
"""
UNWANTED = ("mri_attention.transforms", "mri_attention.datasets", "mri_attention.simulation", "SimpleITK")


@pytest.mark.parametrize("package", ["mri_attention.networks.blocks", "mri_attention.networks.nets"])
def test_networks_load_neither_transforms_nor_datasets(package: str) -> None:
    program = PROGRAM.format(package=package, unwanted=UNWANTED)
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []

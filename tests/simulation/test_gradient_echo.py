"""Tests of simulated echoes: of their equation, and of a scan written as files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import find_phase_cases
from mri_attention.operators import units_per_ppm
from mri_attention.simulation.gradient_echo import AIR, EchoProtocol, shim_field, simulate_echoes, surround, total_field
from mri_attention.simulation.phase_subject import simulate_scan, write_scan

SHAPE = (20, 22, 18)
BRAIN = np.linalg.norm((np.indices(SHAPE).T - [9.5, 10.5, 8.5]) * 3.0, axis=-1).T < 20
PROTOCOL = EchoProtocol(echo_times=(0.005, 0.012), snr=None, offset=0.0)


def test_phase_and_magnitude_are_those_of_the_equation() -> None:
    rng = np.random.default_rng(0)
    field = np.full(SHAPE, 0.7)
    phase, magnitude = simulate_echoes(field, 2 * BRAIN, np.full(SHAPE, 0.03), PROTOCOL, rng)
    for number, time in enumerate(PROTOCOL.echo_times):
        expected = units_per_ppm("rad", 3.0, time) * field[BRAIN]
        error = np.angle(np.exp(1j * (phase[number][BRAIN] - expected)))
        np.testing.assert_allclose(error, 0, atol=1e-4)
        np.testing.assert_allclose(magnitude[number][BRAIN], 2 * math.exp(-time / 0.03), rtol=1e-5)


def test_a_slope_of_the_field_takes_signal() -> None:
    slope = 0.5 / (units_per_ppm("hz", 3.0) * 0.012)  # half a turn from one side of a voxel to the other
    field = slope * np.indices(SHAPE)[0]
    _, magnitude = simulate_echoes(field, np.ones(SHAPE), np.full(SHAPE, 1e6), PROTOCOL, np.random.default_rng(0))
    np.testing.assert_allclose(magnitude[1], 2 / math.pi, rtol=1e-4)


def test_noise_is_that_of_the_snr() -> None:
    protocol = EchoProtocol(echo_times=(0.0001,), snr=50.0)
    flat = np.zeros(SHAPE), np.ones(SHAPE), np.ones(SHAPE)
    _, magnitude = simulate_echoes(*flat, protocol, np.random.default_rng(0))
    assert magnitude.std() == pytest.approx(0.02, rel=0.05)


def test_the_brain_is_surrounded_by_fluid_skull_scalp_and_air() -> None:
    susceptibility, magnitude = surround(BRAIN, (3.0, 3.0, 3.0))
    assert not susceptibility[BRAIN].any()
    assert susceptibility[0, 0, 0] == np.float32(AIR)
    assert susceptibility[9, 10, :].min() < -2
    assert magnitude[0, 0, 0] == 0
    assert not magnitude[BRAIN].any()


def test_a_shim_takes_harmonic_fields_of_second_order_alone() -> None:
    x, y, z = np.meshgrid(*(3.0 * np.arange(n) / 100 for n in SHAPE), indexing="ij")
    harmonic = 1 + x - 2 * y * z + x**2 - z**2
    np.testing.assert_allclose(shim_field(harmonic, BRAIN, (3.0,) * 3), harmonic, atol=1e-8)
    assert abs(shim_field(x**2 + y**2 + z**2, BRAIN, (3.0,) * 3) - (x**2 + y**2 + z**2))[BRAIN].max() > 0.01
    outside = surround(BRAIN, (3.0, 3.0, 3.0))[0]
    plain, shimmed = (total_field(outside, BRAIN, (3.0,) * 3, (0, 0, 1), shim) for shim in (False, True))
    assert shimmed[BRAIN].std() < plain[BRAIN].std()
    assert shimmed[BRAIN].std() > 0.05


def test_a_scan_is_written_as_bids_with_its_truth(tmp_path: Path) -> None:
    chi = 0.1 * np.random.default_rng(0).normal(size=SHAPE)
    scan = simulate_scan(chi, BRAIN, np.diag([3.0, 3, 3, 1]), (0, 0, 1), None, PROTOCOL, np.random.default_rng(0))
    write_scan(tmp_path, "sub-1", scan, PROTOCOL)
    (case,) = find_phase_cases(tmp_path)
    assert [len(case[part]) for part in ("phase", "magnitude")] == [2, 2]
    sidecar = json.loads(Path(case["phase"][1].replace(".nii.gz", ".json")).read_text())
    assert (sidecar["EchoTime"], sidecar["Units"]) == (0.012, "rad")
    truth = tmp_path / "derivatives" / "qsm" / "sub-1" / "anat"
    found, phase = nib.load(truth / "sub-1_Chimap.nii.gz"), nib.load(case["phase"][0])
    assert found.shape == phase.shape
    np.testing.assert_allclose(found.get_fdata()[scan.brain], chi[BRAIN], atol=1e-6)
    assert nib.load(truth / "sub-1_desc-brain_mask.nii.gz").get_fdata().sum() == BRAIN.sum()

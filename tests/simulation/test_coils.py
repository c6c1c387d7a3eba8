"""Tests of simulated receive coils."""

from __future__ import annotations

import torch

from mri_attention.simulation.coils import wire_sensitivities


def test_wires_have_unit_norm_and_the_ratios_of_their_fields() -> None:
    coils = wire_sensitivities((20, 30), n_coils=4, distance=2.0)
    torch.testing.assert_close(torch.linalg.vector_norm(coils, dim=0), torch.ones(20, 30))
    place = complex((7 - 14.5) / 15, (3 - 9.5) / 15)  # row 3, column 7
    wires = [2.0 * complex(torch.polar(torch.tensor(1.0), torch.tensor(torch.pi * (j + 0.5) / 2))) for j in range(4)]
    for j in range(1, 4):
        ratio = complex(coils[j, 3, 7] / coils[0, 3, 7])
        expected = ((place - wires[0]) / (place - wires[j])).conjugate()
        assert abs(ratio - expected) < 1e-5


def test_the_nearest_wire_receives_most() -> None:
    coils = wire_sensitivities((32, 32), n_coils=4).abs()  # wires on the diagonals
    corners = [coils[:, row, column].argmax().item() for row, column in ((-1, -1), (-1, 0), (0, 0), (0, -1))]
    assert corners == [0, 1, 2, 3]

"""Tests of networks.nets.dipole_solvers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.nets import DipoleSolver
from mri_attention.networks.nets.dipole_solvers import SOLVERS
from mri_attention.operators.dipole_inversion import tkd, total_variation

SIZE, OBLIQUE = torch.tensor([[1.0, 1.0, 3.0]]), torch.tensor([[0.0, 0.6, 0.8]])


def field() -> Tensor:
    return 0.02 * torch.randn(1, 1, 8, 7, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", SOLVERS)
def test_every_method_runs_and_has_no_parameters(method: str) -> None:
    solver = DipoleSolver(method)
    assert solver(field(), SIZE, OBLIQUE).shape == field().shape
    assert not list(solver.parameters())
    assert not solver.state_dict()


def test_options_reach_the_solver() -> None:
    expected = tkd(field(), SIZE, OBLIQUE, threshold=0.3, padding=1.5)
    torch.testing.assert_close(DipoleSolver("tkd", threshold=0.3, padding=1.5)(field(), SIZE, OBLIQUE), expected)


def test_without_geometry_voxels_are_cubes_and_b0_is_the_last_axis() -> None:
    torch.testing.assert_close(DipoleSolver()(field()), tkd(field(), (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)))


@pytest.mark.parametrize("weight_by_mask", [True, False])
def test_mask_weights_the_data_where_asked(weight_by_mask: bool) -> None:
    mask = (field() > -0.02).float()
    expected = total_variation(field(), mask=mask, data_weight=mask if weight_by_mask else None)
    solver = DipoleSolver("total_variation", weight_by_mask)
    torch.testing.assert_close(solver(field(), mask=mask), expected)


def test_given_weights_stay() -> None:
    mask, weight = torch.ones_like(field()), torch.full_like(field(), 0.5)
    expected = total_variation(field(), mask=mask, data_weight=weight)
    solver = DipoleSolver("total_variation", data_weight=weight)
    torch.testing.assert_close(solver(field(), mask=mask), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "medi"}, "method must be one of tkd, tikhonov, total_variation, cgls, got 'medi'"),
        ({"method": "tkd", "weight": 1.0}, "tkd takes threshold, padding, got weight"),
    ],
)
def test_rejects(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DipoleSolver(**options)

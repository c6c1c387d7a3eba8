"""Tests of sensitivities by ESPIRiT, against wires whose field is known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from mri_attention.operators import image_to_kspace
from mri_attention.operators.espirit import calibration_size, compress_coils, espirit_maps
from mri_attention.simulation.coils import wire_sensitivities
from tests.helpers import features

SHAPE = 64, 56


def grid() -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return y, x


def head() -> Tensor:
    y, x = grid()
    return ((y / 0.8) ** 2 + (x / 0.7) ** 2 < 1) * (1 + 0.3 * torch.sin(9 * x) * torch.cos(7 * y))


def columns(n_center: int = 16) -> Tensor:
    mask = torch.arange(SHAPE[1]) % 4 == 0
    mask[SHAPE[1] // 2 - n_center // 2 : SHAPE[1] // 2 + n_center // 2] = True
    return mask.expand(SHAPE)


def test_sensitivities_of_wires_are_found_within_the_head() -> None:
    coils = wire_sensitivities(SHAPE)
    mask = columns()
    found = espirit_maps(image_to_kspace(coils * head()) * mask, mask)
    assert found is not None
    y, x = grid()
    inside = (y / 0.72) ** 2 + (x / 0.62) ** 2 < 1
    expected = coils * torch.polar(torch.ones(SHAPE), -coils[0].angle())
    assert (found - expected)[:, inside].abs().max() < 0.02
    torch.testing.assert_close(torch.linalg.vector_norm(found, dim=0)[inside], torch.ones(int(inside.sum())))
    assert (found[:, (y / 0.8).hypot(x / 0.7) > 1.5] == 0).all()


def test_noise_of_one_percent_changes_little() -> None:
    coils, mask = wire_sensitivities(SHAPE), columns()
    kspace = image_to_kspace(coils * head()) + 0.01 * features(8, *SHAPE) * 2**0.5
    found = espirit_maps(kspace * mask, mask, noise=0.01)
    assert found is not None
    y, x = grid()
    inside = (y / 0.6) ** 2 + (x / 0.5) ** 2 < 1
    aligned = found * torch.polar(torch.ones(SHAPE), coils[0].angle())
    assert (aligned - coils)[:, inside].abs().mean() < 0.02


def test_air_and_empty_slices_have_no_sensitivities() -> None:
    found = espirit_maps(torch.zeros(4, *SHAPE, dtype=torch.complex64), columns())
    assert found is not None
    assert not found.any()


def test_noise_alone_has_no_sensitivities() -> None:
    assert espirit_maps(features(4, *SHAPE) + 0j, torch.ones(SHAPE, dtype=torch.bool)) is None


def test_calibration_is_the_largest_rectangle_that_is_sampled() -> None:
    assert calibration_size(columns(14)) == (24, 14)
    assert calibration_size(columns(14).T) == (14, 24)
    assert calibration_size(torch.ones(20, 30, dtype=torch.bool)) == (20, 24)
    assert calibration_size(columns(6)) is None
    assert espirit_maps(torch.ones(2, *SHAPE) + 0j, columns(6)) is None


def test_compressed_coils_hold_all_power_and_their_noise_stays_white() -> None:
    kspace = image_to_kspace(wire_sensitivities(SHAPE) * head())
    power = kspace.abs().square().sum()
    torch.testing.assert_close(compress_coils(kspace, 8).abs().square().sum(), power)
    assert compress_coils(kspace, 4).shape == (4, *SHAPE)
    assert compress_coils(kspace, 4).abs().square().sum() > 0.99 * power
    strongest = compress_coils(kspace, 1).abs().square().sum()
    assert strongest >= kspace.abs().square().sum((1, 2)).max()
    white = features(4, 100, 100)
    found = compress_coils(white + 0j, 4).flatten(1)
    torch.testing.assert_close(found @ found.mH / found.shape[1], torch.eye(4) + 0j, atol=0.05, rtol=0)


def test_what_noise_has_is_not_taken_for_signal() -> None:
    """Told of the noise, maps are nearer to the truth than with noise that is taken for signal."""
    coils, mask = wire_sensitivities(SHAPE), columns()
    noise = 0.1 * torch.complex(features(8, *SHAPE), features(8, *SHAPE).flip(-1))
    y, x = grid()
    inside = (y / 0.6) ** 2 + (x / 0.5) ** 2 < 1
    errors = []
    for told in (0.0, 0.1):
        found = espirit_maps((image_to_kspace(coils * head()) + noise) * mask, mask, told)
        assert found is not None
        errors.append(float(1 - (found.conj() * coils).sum(0).abs()[inside].mean()))
    assert errors[1] < 0.7 * errors[0]
    assert espirit_maps(noise, mask, 0.2) is None

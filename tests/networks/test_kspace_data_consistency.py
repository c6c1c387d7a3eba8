"""Measured and predicted samples, weighed by the noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mri_attention.handlers import WeightsLoader
from mri_attention.networks.blocks import KspaceDataConsistency, NoiseShift
from mri_attention.networks.nets import CompressedSensing, DuDoRNet, MANet, SingleCoilVarNet
from mri_attention.operators import kspace_to_image

from ..helpers import features, with_open_gates

DUDORNET = {"width": 4, "growth": 4, "n_blocks": 1, "dilations": (1, 2), "n_recurrences": 2}
VARNET = {"n_cascades": 2, "features": (4, 4, 4, 4, 4, 4)}
NETWORKS: dict[str, Any] = {
    "MANet": lambda knows: MANet(4, is_residual=True, data_consistency=True, knows_noise=knows),
    "DuDoRNet": lambda knows: DuDoRNet(prediction_error=0.01 if knows else None, **DUDORNET),
    "VarNet": lambda knows: SingleCoilVarNet(prediction_error=0.01 if knows else None, **VARNET),
}


def acquisition() -> tuple[Tensor, Tensor, Tensor]:
    """Return k-space with values where there are no samples too, a guide, and a mask."""
    kspace = torch.complex(features(2, 1, 32, 48), features(2, 1, 32, 48).flip(2))
    return kspace, features(2, 1, 32, 48).flip(3).abs(), torch.arange(48) % 3 == 0


def image_of(output: Any) -> Tensor:
    return output["image"] if isinstance(output, dict) else output


def test_share_is_that_of_the_least_mean_square_error() -> None:
    """Of prediction and measurement with errors 0.3 and 0.4 in both parts, no other share is better."""
    block = KspaceDataConsistency(prediction_error=0.3).double()
    generator = torch.Generator().manual_seed(0)
    truth, first, second = torch.randn(3, 1, 1, 200, 200, dtype=torch.complex128, generator=generator) * 2**0.5
    predicted, measured, noise = truth + 0.3 * first, truth + 0.4 * second, torch.full((1, 1, 1, 1), 0.4).double()
    share = block.measured_share(predicted, noise).detach()
    assert share.squeeze().flatten()[0].item() == pytest.approx(0.09 / 0.25)
    found = (block(predicted, measured, torch.ones(1), noise).detach() - truth).abs().square().mean()
    assert found == pytest.approx(2 * 0.09 * 0.16 / 0.25, rel=0.02)
    for other in (0.3, 0.42):
        assert (torch.lerp(predicted, measured, torch.tensor(other).double()) - truth).abs().square().mean() > found


def test_error_is_learned_by_the_distance_from_the_center() -> None:
    block = KspaceDataConsistency(prediction_error=0.1)
    nn.init.constant_(block.log_error, -0.1)
    share = block.measured_share(torch.zeros(1, 1, 8, 8) + 0j, torch.full((1, 1, 1, 1), 0.2)).squeeze()
    for row, column, radius in ((4, 4, 0.0), (4, 0, 1.0), (0, 0, 2**0.5)):
        variance = torch.tensor(-1 - radius - radius**2).exp() ** 2
        torch.testing.assert_close(share[row, column], variance / (variance + 0.04))


def test_errors_are_those_at_the_center_half_way_and_at_the_edge() -> None:
    block = KspaceDataConsistency(prediction_error=(0.3, 0.05, 0.02))
    share = block.measured_share(torch.zeros(1, 1, 8, 8) + 0j, torch.full((1, 1, 1, 1), 0.1)).squeeze()[4, [4, 2, 0]]
    variance = torch.tensor([0.3, 0.05, 0.02]) ** 2
    torch.testing.assert_close(share, variance / (variance + 0.01))


@pytest.mark.parametrize("noise", [None, torch.zeros(2, 1, 1, 1)], ids=["none", "zero"])
def test_without_noise_samples_are_kept_whole(noise: Tensor | None) -> None:
    kspace, _, mask = acquisition()
    found = KspaceDataConsistency(prediction_error=0.01)(kspace, kspace.flip(0), mask, noise)
    expected = torch.where(mask, kspace.flip(0), kspace)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_much_noise_keeps_the_prediction() -> None:
    kspace, _, mask = acquisition()
    found = KspaceDataConsistency(prediction_error=0.01)(kspace, kspace.flip(0), mask, torch.full((2, 1, 1, 1), 1e4))
    torch.testing.assert_close(found, kspace)


def test_noise_shift_starts_at_nothing_and_is_linear() -> None:
    block, x = NoiseShift(3), features(2, 3, 4, 5)
    noise = torch.tensor([0.01, 0.03])[:, None, None, None]
    torch.testing.assert_close(block(x, noise), x, rtol=0, atol=0)
    nn.init.constant_(block.weight, 2.0)
    torch.testing.assert_close(block(x, noise) - x, (noise * 1000).expand_as(x))
    torch.testing.assert_close(block(x), x, rtol=0, atol=0)


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_that_do_not_know_the_noise_give_the_same_without_it(name: str, tmp_path: Path) -> None:
    """The same with their samples apart, too."""
    torch.manual_seed(0)
    old, new = with_open_gates(NETWORKS[name](False)).eval(), NETWORKS[name](True).eval()
    torch.save(old.state_dict(), tmp_path / "old.pt")
    WeightsLoader(tmp_path / "old.pt", new)(None)  # type: ignore[arg-type]
    inputs, noise = acquisition(), torch.zeros(2, 1, 1, 1)
    expected = image_of(old(*inputs))
    atol = 1e-5 * float(expected.abs().max())
    for others in ((), (noise,), (noise, inputs[0])):
        torch.testing.assert_close(image_of(new(*inputs, *others)), expected, rtol=1e-3, atol=atol)
    assert not torch.allclose(image_of(new(*inputs, noise + 0.5)), expected, rtol=1e-2)


@pytest.mark.parametrize("name", NETWORKS)
def test_noise_trains_what_knows_it(name: str) -> None:
    torch.manual_seed(0)
    network = with_open_gates(NETWORKS[name](True))
    image_of(network(*acquisition(), torch.full((2, 1, 1, 1), 0.02))).abs().sum().backward()
    parts = [m for m in network.modules() if getattr(m, "optional_weights", False)]
    parameters = [p for part in parts for p in part.parameters()]
    assert parameters
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in parameters)


def test_compressed_sensing_starts_from_the_samples() -> None:
    kspace, guide, mask = acquisition()
    noise = torch.full((2, 1, 1, 1), 0.1)
    network, mask = CompressedSensing(n_iterations=5), mask.expand(2, 1, 32, 48)
    expected = kspace_to_image(network.fill(kspace * mask, mask, noise))
    torch.testing.assert_close(network(kspace, guide, mask, noise, kspace * mask), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise_weight": -1.0}, "noise_weight must not be negative, got -1"),
        ({"prediction_error": 0.0}, "prediction_error must be one or three positive numbers, got 0"),
        ({"prediction_error": (1.0, 2.0)}, "prediction_error must be one or three positive numbers, got \\(1"),
        ({"noise_weight": 1.0, "prediction_error": 1.0}, "give one of both"),
    ],
)
def test_rejects(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KspaceDataConsistency(**options)

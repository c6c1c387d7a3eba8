"""Tests of QSMnet, its U-Net and its options."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mri_attention.networks.blocks import ATTENTION
from mri_attention.networks.nets import DipoleSolver, FAQSMNet, QSMNet, QSMUNet
from mri_attention.operators import DipoleConvolution
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow

SMALL = {"channels": (4, 8, 16), "kernel_size": 3}
OBLIQUE = (0.0, 0.5, 0.8)


def field(*size: int, batch: int = 1) -> Tensor:
    return 0.02 * torch.randn(batch, 1, *size, generator=torch.Generator().manual_seed(0))


def small(**options: object) -> QSMNet:
    torch.manual_seed(0)
    network = QSMNet(**SMALL, **options)
    if hasattr(network.unet.attention, "gamma"):
        nn.init.constant_(network.unet.attention.gamma, 0.5)
    return network


@pytest.mark.parametrize(("network", "n_parameters"), [(QSMNet, 99_453_985), (FAQSMNet, 99_453_985 + 787_969)])
def test_has_as_many_parameters_as_the_original(network: type[nn.Module], n_parameters: int) -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in network().parameters()) == n_parameters


@pytest.mark.parametrize("size", [(8, 8, 8), (9, 7, 5), (13, 12, 6), (4, 5, 3)], ids=str)
@pytest.mark.parametrize("options", [{}, {"classical_channel": "tkd", "data_consistency": 0.1}], ids=["plain", "all"])
def test_output_has_the_size_of_the_input(size: tuple[int, ...], options: dict) -> None:
    assert small(**options).eval()(field(*size)).shape == (1, 1, *size)


@pytest.mark.parametrize("attention", ATTENTION.names)
def test_any_attention_fits_the_slot(attention: str) -> None:
    assert QSMNet(**SMALL, attention=attention)(field(8, 8, 8, batch=2)).shape == (2, 1, 8, 8, 8)


@pytest.mark.parametrize("channels", [(4,), (4, 8), (4, 6, 8, 10)], ids=str)
def test_any_number_of_levels_will_do(channels: tuple[int, ...]) -> None:
    network = QSMUNet(2, 3, channels=channels, kernel_size=3).eval()
    assert network(torch.randn(1, 2, 9, 8, 11)).shape == (1, 3, 9, 8, 11)


def test_odd_sizes_are_those_of_a_volume_with_zeros_at_its_ends() -> None:
    network, x = small().eval(), field(9, 7, 6)
    padded = torch.zeros(1, 1, 12, 8, 8)
    padded[..., :9, :7, :6] = x
    torch.testing.assert_close(network(x), network(padded)[..., :9, :7, :6])


@pytest.mark.parametrize(
    "options",
    [{}, {"attention": "folded"}, {"classical_channel": "tikhonov"}, {"data_consistency": 0.1}],
    ids=["plain", "attention", "classical", "consistent"],
)
def test_gradients_reach_every_parameter(options: dict) -> None:
    network = small(**options)
    assert_gradients_flow(network, field(9, 8, 7, batch=2))
    assert_deterministic_in_eval(network, field(9, 8, 7))


def test_faqsmnet_starts_as_qsmnet_of_the_same_weights() -> None:
    network, plain = FAQSMNet(**SMALL).eval(), QSMNet(**SMALL).eval()
    missing = plain.load_state_dict(network.state_dict(), strict=False)
    assert not missing.missing_keys
    assert all(key.startswith("unet.attention.") for key in missing.unexpected_keys)
    torch.testing.assert_close(network(field(8, 8, 8)), plain(field(8, 8, 8)), rtol=0, atol=0)


def test_scales_are_those_of_input_and_output() -> None:
    network = small(field_scale=0.01, susceptibility_scale=0.1).eval()
    torch.testing.assert_close(network(field(8, 8, 8)), 0.1 * network.unet(field(8, 8, 8) / 0.01))


def test_classical_channel_is_the_solvers_map() -> None:
    network = small(classical_channel="tkd").eval()
    seen = []
    network.unet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    sizes, directions = torch.tensor([[1.0, 1.0, 3.0]]), torch.tensor([OBLIQUE])
    network(field(8, 8, 8), sizes, directions)
    torch.testing.assert_close(
        seen[0][:, 1:] * network.susceptibility_scale, DipoleSolver("tkd")(field(8, 8, 8), sizes, directions)
    )


def test_data_consistency_brings_the_measured_field() -> None:
    chi = 0.05 * torch.randn(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    operator = DipoleConvolution((8, 8, 8), b0_direction=OBLIQUE, padding=1.0)
    measured = operator(chi)
    plain, consistent = small().eval(), small(data_consistency=1e-4).eval()
    error = [(operator(network(measured, None, OBLIQUE)) - measured).norm() for network in (plain, consistent)]
    assert error[1] < 0.05 * error[0]


def test_plain_network_does_not_know_the_geometry_and_the_others_do() -> None:
    geometry = torch.tensor([[1.0, 1.0, 3.0]]), torch.tensor([OBLIQUE])
    x = field(8, 8, 8)
    assert torch.equal(small().eval()(x), small().eval()(x, *geometry))
    for options in ({"classical_channel": "tkd"}, {"data_consistency": 0.1}):
        network = small(**options).eval()
        assert not torch.equal(network(x), network(x, *geometry))


def test_is_zero_outside_of_the_mask() -> None:
    mask = torch.zeros(1, 1, 8, 8, 8)
    mask[..., 2:6, 2:6, 2:6] = 1
    out = small(classical_channel="cgls", data_consistency=0.1).eval()(field(8, 8, 8), mask=mask)
    assert not out[mask == 0].any()
    assert out[mask == 1].any()


def test_runs_under_autocast() -> None:
    network = small(classical_channel="tkd", data_consistency=0.1).eval()
    with torch.autocast("cpu", torch.bfloat16):
        out = network(field(8, 8, 8))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, network(field(8, 8, 8)), rtol=0.1, atol=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": ()}, "channels must not be empty and kernel_size odd"),
        ({"kernel_size": 4}, "channels must not be empty and kernel_size odd"),
        ({"field_scale": 0.0}, "scales must be positive"),
        ({"susceptibility_scale": -1.0}, "scales must be positive"),
        ({"attention": "some"}, "unknown attention 'some'"),
        ({"classical_channel": "some"}, "method must be one of"),
        ({"data_consistency": 0.0}, "weight must be positive"),
    ],
)
def test_rejects(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QSMNet(**(SMALL | options))

"""The U-Nets with attention: what they share, and what sets each apart."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mri_attention.networks.nets import AGNet, DANet, FANet, NonLocalUNet, RSANet, UNet3D
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features, with_open_gates

SMALL = (8, 16, 24)
NETWORKS = [(FANet, {}), (NonLocalUNet, {}), (DANet, {}), (RSANet, {}), (AGNet, {}), (AGNet, {"gating": "plain"})]
BUNDLE_WIDTHS = (8, 24, 64, 112, 144)


def network_of(network: type[UNet3D], **options: Any) -> UNet3D:
    torch.manual_seed(0)
    built = with_open_gates(network(channels=SMALL, dropout=0.0, **options))
    assert isinstance(built, UNet3D)
    return built


@pytest.mark.parametrize("size", [(8, 8, 8), (9, 7, 5), (16, 3, 1)], ids=str)
@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_output_has_the_size_of_the_input(
    network: type[UNet3D], options: dict[str, Any], size: tuple[int, ...]
) -> None:
    built, x = network_of(network, **options), features(1, 3, *size)
    assert built(x).shape == (1, 2, *size)
    assert_deterministic_in_eval(built, x)


@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_gradients_reach_every_parameter(network: type[UNet3D], options: dict[str, Any]) -> None:
    assert_gradients_flow(network_of(network, **options).eval(), features(2, 3, 9, 8, 7))


@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_autocast_stays_near_single_precision(network: type[UNet3D], options: dict[str, Any]) -> None:
    built, x = network_of(network, **options).eval(), features(1, 3, 9, 8, 7)
    with torch.autocast("cpu", torch.bfloat16):
        y = built(x)
    torch.testing.assert_close(y.float(), built(x), rtol=0.15, atol=0.15)


@pytest.mark.parametrize("network", [FANet, NonLocalUNet, DANet, RSANet])
def test_starts_as_the_unet_of_the_same_weights(network: type[UNet3D]) -> None:
    built, unet = network(channels=SMALL).eval(), UNet3D(channels=SMALL).eval()
    keys = unet.load_state_dict(built.state_dict(), strict=False)
    assert not keys.missing_keys
    assert all(key.startswith("attention.") for key in keys.unexpected_keys)
    torch.testing.assert_close(built(features(1, 3, 8, 8, 8)), unet(features(1, 3, 8, 8, 8)), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("network", "options", "n_parameters", "n_in_bundle"),
    [
        (RSANet, {}, 24_554_339, 3_662_347),
        (NonLocalUNet, {}, 24_292_960, 3_641_824),
        (DANet, {}, 28_277_762, 3_956_870),
        (AGNet, {}, 24_789_283, 3_794_515),
        (AGNet, {"gating": "plain"}, 26_100_262, 4_017_462),
    ],
)
def test_numbers_of_parameters(
    network: type[UNet3D], options: dict[str, Any], n_parameters: int, n_in_bundle: int
) -> None:
    with torch.device("meta"):
        networks = network(**options), network(channels=BUNDLE_WIDTHS, **options)
    assert [sum(p.numel() for p in n.parameters()) for n in networks] == [n_parameters, n_in_bundle]


@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_passes_options_to_the_attention(network: type[UNet3D], options: dict[str, Any]) -> None:
    unknown = {"no_such_option": 1}
    with pytest.raises(TypeError, match="no_such_option"):
        network(channels=SMALL, attention_options=unknown, **options)


def contexts_of(network: AGNet, x: Tensor) -> list[Tensor]:
    contexts: list[Tensor] = []
    for gate in network.gates:
        gate.register_forward_pre_hook(lambda _, inputs: contexts.append(inputs[1]))
    network.eval()(x)
    return contexts


def test_grid_opens_every_gate_with_the_signal_from_the_bottom() -> None:
    network = AGNet(channels=(8, 16, 24, 32, 40), gating="grid")
    contexts = contexts_of(network, features(1, 3, 16, 32, 16))
    assert [context.shape for context in contexts] == [(1, 32, 1, 2, 1)] * 3
    assert all(context is contexts[0] for context in contexts)


def test_plain_opens_each_gate_with_the_next_coarser_features() -> None:
    network = AGNet(channels=(8, 16, 24, 32, 40), gating="plain")
    shapes = [tuple(context.shape) for context in contexts_of(network, features(1, 3, 16, 32, 16))]
    assert shapes == [(1, 40, 1, 2, 1), (1, 32, 2, 4, 2), (1, 24, 4, 8, 4)]


@pytest.mark.parametrize("gating", ["grid", "plain"])
def test_shut_gates_let_no_features_pass(gating: Any) -> None:
    network = AGNet(channels=SMALL, gating=gating).eval()
    for name, parameter in network.named_parameters():
        if "psi" in name:
            torch.nn.init.constant_(parameter, -100.0 if name.endswith("bias") else 0.0)
    context = features(1, network.signal[0].out_channels, 2, 2, 2)
    passed = [network.gates[0](x, context) for x in (features(1, 16, 4, 4, 4), torch.zeros(1, 16, 4, 4, 4))]
    torch.testing.assert_close(*passed)


def test_rejects_too_few_levels_and_unknown_gating() -> None:
    with pytest.raises(ValueError, match=r"channels must have at least three levels, got \(8, 16\)"):
        AGNet(channels=(8, 16))
    with pytest.raises(ValueError, match='gating must be "grid" or "plain", got \'dense\''):
        AGNet(channels=SMALL, gating="dense")  # type: ignore[arg-type]

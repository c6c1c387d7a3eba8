"""Tests of SANet, MINet and EDSR."""

from typing import Any

import pytest
import torch
from torch import nn

from mri_attention.networks.blocks import ChannelAttention
from mri_attention.networks.nets import EDSR, MINet, SANet
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features, with_open_gates

SMALL: dict[str, Any] = {"n_stages": 2, "n_blocks": 1, "width": 8}
ABLATIONS: dict[str, dict[str, Any]] = {
    "all": {},
    "paper's integration": {"integration": "paper"},
    "no attention": {"fusion": "none"},
    "no integration": {"integration": "none"},
    "concatenation": {"fusion": "concatenation", "integration": "none"},
    "Eq. 4": {"fusion_first": True},
    "Eq. 8": {"join": "sum"},
    "no guide": {"auxiliary": "none"},
    "no enhancement": {"enhancement": False},
    "as printed": {
        "fusion_first": True,
        "join": "sum",
        "gamma": None,
        "integration": "paper",
        "fusion_options": {"norm": None, "attention_map": "features", "residual": "channel"},
    },
    "no guide, no attention": {"auxiliary": "none", "fusion": "none"},
    "no guide, no integration": {"auxiliary": "none", "integration": "none"},
    "none of them": {"auxiliary": "none", "fusion": "none", "integration": "none", "enhancement": False},
    "no normalization": {"fusion_options": {"norm": None, "width": 4}},
    "both contrasts": {"auxiliary": "low"},
}


def small(**options: Any) -> SANet:
    torch.manual_seed(0)
    return with_open_paths(SANet(**(SMALL | options)))


def with_open_paths(network: SANet) -> SANet:
    """Open gates, and let the one unit of each narrow squeeze be active."""
    for module in with_open_gates(network).modules():
        if isinstance(module, ChannelAttention):
            nn.init.ones_(module.fc[0].bias)
    return network


def images(network: SANet, height: int = 5, width: int = 7) -> list[torch.Tensor]:
    """Return what the network wants: the target, and a guide on its grid."""
    factor = {"high": network.scale, "low": 1, "none": 0}[network.auxiliary_grid]
    guide = [features(2, 1, factor * height, factor * width)] if factor else []
    return [features(2, 1, height, width), *guide]


@pytest.mark.parametrize(
    ("network", "options", "n_parameters"),
    [
        (SANet, {"n_stages": 2}, 2_467_487),
        (SANet, {"n_stages": 4}, 4_637_057),
        (SANet, {}, 6_806_627),
        (SANet, {"scale": 4}, 6_954_339),
        (MINet, {}, 6_748_189),
        (MINet, {"n_groups": 2}, 2_551_901),
        (EDSR, {}, 1_367_553),
        (EDSR, {"scale": 4}, 1_515_265),
        (EDSR, {"scale": 4, "n_blocks": 32, "width": 256}, 43_080_705),
    ],
    ids=str,
)
def test_has_the_parameters_that_the_original_uses(
    network: type[nn.Module], options: dict[str, Any], n_parameters: int
) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in network(**options).parameters()) == n_parameters


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("auxiliary", ["high", "low", "none"])
@pytest.mark.parametrize("size", [(5, 7), (1, 4)], ids=str)
def test_output_is_on_the_fine_grid(scale: int, auxiliary: str, size: tuple[int, int]) -> None:
    network = small(scale=scale, auxiliary=auxiliary).eval()
    n_images = 1 if auxiliary == "none" else 2
    assert network(*images(network, *size)).shape == (2, n_images, scale * size[0], scale * size[1])


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_gradients_reach_every_parameter(ablation: str) -> None:
    network = small(**ABLATIONS[ablation])
    assert_gradients_flow(network, *images(network))
    assert_deterministic_in_eval(network, *images(network))


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_guide_matters_where_there_is_one(ablation: str) -> None:
    network = small(**ABLATIONS[ablation]).eval()
    low, *guide = images(network)
    if guide:
        changed = network(low, guide[0].flip(2))
        assert not torch.allclose(network(low, guide[0])[:, 0], changed[:, 0], rtol=1e-3)


def test_equation_4_fuses_before_the_residual_group() -> None:
    network = small(n_stages=1, fusion_first=True, integration="none").eval()
    low, guide = images(network)
    assert network.fusions is not None
    assert network.auxiliary is not None
    first = network.target.begin(low)
    refined = network.fusions[0](first, network.auxiliary.stage(0, network.auxiliary.begin(guide)))
    expected = network.target.end(network.target.stage(0, refined), first, [])
    torch.testing.assert_close(network(low, guide)[:, :1], expected)


def test_equation_8_adds_up_features() -> None:
    network = small(n_stages=1, join="sum", auxiliary="none", fusion="none").eval()
    (low,) = images(network)
    assert network.summary is not None
    assert network.integration is not None
    first = network.target.begin(low)
    last = network.target.stage(0, first)
    summary = network.summary(network.integration(last[:, None])[:, 0])
    torch.testing.assert_close(network(low), network.target.head(first + network.target.attention(last) + summary))


def test_target_does_not_change_the_guide() -> None:
    network = small().eval()
    low, guide = images(network)
    torch.testing.assert_close(network(low, guide)[:, 1], network(low.flip(2), guide)[:, 1], rtol=0, atol=0)


def test_a_new_network_of_two_stages_or_six_starts_with_finite_outputs() -> None:
    for n_stages in (1, 3, 6):
        network = SANet(**(SMALL | {"n_stages": n_stages})).eval()
        assert network(*images(network)).isfinite().all()


@pytest.mark.parametrize("options", [{}, {"auxiliary": "low", "scale": 3}, {"integration": "none"}], ids=str)
def test_minet_reaches_every_parameter(options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = with_open_paths(MINet(**({"n_groups": 1, "n_blocks": 1, "width": 8} | options)))
    assert network(*images(network)).shape == (2, 2, network.scale * 5, network.scale * 7)
    assert_gradients_flow(network, *images(network))
    assert_deterministic_in_eval(network, *images(network))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_edsr_reaches_every_parameter(scale: int) -> None:
    torch.manual_seed(0)
    network = EDSR(scale, in_channels=2, n_blocks=2, width=8, residual_scale=0.1)
    assert network(features(2, 2, 5, 7)).shape == (2, 2, 5 * scale, 7 * scale)
    assert_gradients_flow(network, features(2, 2, 5, 7))
    assert_deterministic_in_eval(network, features(2, 2, 5, 7))


def test_edsr_commutes_with_shifts_of_the_coarse_grid() -> None:
    torch.manual_seed(0)
    network, x = EDSR(2, n_blocks=1, width=4).eval(), features(1, 1, 24, 6)
    torch.testing.assert_close(network(x.roll(1, 2))[:, :, 16:-16], network(x).roll(2, 2)[:, :, 16:-16])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 5}, "scale must be 3 or a power of two, got 5"),
        ({"n_stages": 0}, "n_stages must not be below 1, got 0"),
        ({"fusion": "sum"}, "fusion must be one of separable, concatenation, none, got 'sum'"),
        ({"integration": "sum"}, "integration must be one of han, paper, none, got 'sum'"),
        ({"auxiliary": "T1w"}, "auxiliary must be one of high, low, none, got 'T1w'"),
        ({"join": "product"}, "join must be one of convolution, sum, got 'product'"),
        ({"auxiliary": "none", "fusion": "concatenation"}, "fusion by concatenation needs an auxiliary"),
        ({"fusion": "none", "integration": "none"}, "the auxiliary has no effect on the target"),
    ],
    ids=str,
)
def test_rejects_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SANet(**(SMALL | options))


@pytest.mark.parametrize(
    ("auxiliary", "guide", "message"),
    [
        ("high", None, "auxiliary is missing"),
        ("none", (10, 14), "auxiliary is not expected"),
        ("high", (5, 7), r"auxiliary must have the size \[10, 14\], got \[5, 7\]"),
        ("low", (10, 14), r"auxiliary must have the size \[5, 7\], got \[10, 14\]"),
    ],
)
def test_rejects_guides_of_other_sizes(auxiliary: str, guide: tuple[int, int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(auxiliary=auxiliary)(features(2, 1, 5, 7), None if guide is None else features(2, 1, *guide))

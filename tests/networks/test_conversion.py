from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mri_attention.networks.blocks import AttentionGate, SelfAttention
from mri_attention.networks.conversion import ORIGINALS, ConvertedWeights, convert_state_dict
from tests.helpers import features, fixture

FIXTURES = {
    "rsa-block": "rsa_block_c8",
    "da-pam": "da_pam_c16",
    "da-cam": "da_cam_c16",
    "attention-gate": "ag_grid3d_concatenation",
    "non-local": "nl3d_embedded_gaussian_full",
    "channel-attention": "calayer2d_c16_r4",
    "sanet": "sanet_s_f16_b2_x2",
    "minet": "minet_s_f16_L2_b2_x2",
    "edsr": "edsr_b4_f24_x2",
    "mcmrsr": "mcmrsr_e12_d22_x2",
    "manet": "manet_s_f16_c4",
    "drdn": "dudornet_drdn_f16",
    "cross-scale": "csnl_cross_scale_x2",
    "srcnn3d": "srcnn3d_915_pretrained",
    "recnn": "srrecnn3d_10l_x2_pretrained",
}
GUIDED = {"sanet", "minet", "mcmrsr", "manet"}


def build(converted: ConvertedWeights) -> nn.Module:
    module, _, name = converted.network.rpartition(".")
    network: nn.Module = getattr(import_module(module), name)(**converted.config)
    network.load_state_dict(converted.state_dict)
    return network.eval()


def test_every_original_has_a_fixture() -> None:
    assert set(FIXTURES) | {"dudornet"} == set(ORIGINALS)  # which is two of drdn


def floats(data: Any) -> Iterator[Tensor]:
    """Yield the tensors of a fixture, given as one, as a list or by name."""
    values = data.values() if isinstance(data, dict) else data if isinstance(data, list | tuple) else [data]
    yield from (value.float() for value in values)


@pytest.mark.parametrize("original", FIXTURES.keys() - GUIDED)
def test_converted_weights_give_the_numbers_of_the_original(original: str) -> None:
    data = fixture(FIXTURES[original])
    network = build(convert_state_dict(original, data["state_dict"]))
    expected = next(floats(data["outputs"]))
    torch.testing.assert_close(network(*floats(data["inputs"])), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("original", ["sanet", "minet"])
def test_guided_super_resolution_has_the_numbers_of_the_original(original: str) -> None:
    data = fixture(FIXTURES[original])
    network = build(convert_state_dict(original, data["state_dict"]))
    auxiliary, low = floats(data["inputs"])
    expected = torch.cat(list(floats(data["outputs"]))[::-1], 1)  # there the guide comes first
    torch.testing.assert_close(network(low, auxiliary), expected, rtol=0, atol=1e-5)


def test_mcmrsr_has_the_numbers_of_the_original() -> None:
    data = fixture(FIXTURES["mcmrsr"])
    network = build(convert_state_dict("mcmrsr", data["state_dict"]))
    low, auxiliary_low, auxiliary = (torch.complex(*image.split(1, 1)) for image in floats(data["inputs"]))
    image = network(low, auxiliary, auxiliary_low)
    expected = next(floats(data["outputs"]))
    torch.testing.assert_close(torch.cat([image.real, image.imag], 1), expected, rtol=0, atol=1e-5)


def test_manet_has_the_numbers_of_the_original() -> None:
    data = fixture(FIXTURES["manet"])
    network = build(convert_state_dict("manet", data["state_dict"]))
    guide, kspace = (torch.complex(*channels.split(1, 1)) for channels in floats(data["inputs"]))
    outputs = network(kspace, torch.fft.ifft2(guide))
    names = ("auxiliary_kspace", "kspace", "auxiliary_image", "image")
    for name, expected in zip(names, floats(data["outputs"]), strict=True):
        output = outputs[name]
        output = torch.cat([output.real, output.imag], 1) if output.is_complex() else output
        torch.testing.assert_close(output, expected, rtol=0, atol=1e-5)


def test_dudornet_is_two_networks_in_one_checkpoint() -> None:
    data = fixture(FIXTURES["drdn"])
    weights = {name: value.float() for name, value in data["state_dict"].items()}
    checkpoint = {"net_G_I": weights, "net_G_K": weights, "opt_G": {"state": {}}, "epoch": 3}
    converted = convert_state_dict("dudornet", checkpoint)
    sizes = {"width": 16, "n_blocks": 2, "growth": 16, "dilations": [1, 2, 4]}
    assert converted.config == sizes | {"norm": "backward", "is_guided": True}
    network, alone = build(converted), build(convert_state_dict("drdn", weights))
    (x,) = floats(data["inputs"])
    torch.testing.assert_close(network.image(x), alone(x), rtol=0, atol=0)
    torch.testing.assert_close(network.kspace(x), alone(x), rtol=0, atol=0)
    kspace, auxiliary = (torch.complex(*channels.split(1, 1)) for channels in x.split(2, 1))
    assert network(kspace, auxiliary)["image"].isfinite().all()


@pytest.mark.parametrize(
    ("original", "names"),
    [
        ("sanet", ["body.0.weight", "net1.tail.1.bias", "net2.body.5.body.6.weight", "Seatts.0.convq.bias"]),
        ("minet", ["map_convs.0.weight", "net1.la.gamma", "last_conv.bias"]),
        ("mcmrsr", ["layers.0.residual_group.blocks.1.attn_mask"]),
        ("manet", ["UNet_k.convdemD0.weight", "UNet_img.convdemU3.bias"]),
    ],
)
def test_what_the_original_never_uses_is_dropped(original: str, names: list[str]) -> None:
    weights = fixture(FIXTURES[original])["state_dict"]
    expected = convert_state_dict(original, weights)
    converted = convert_state_dict(original, weights | dict.fromkeys(names, torch.zeros(3)))
    assert converted.config == expected.config
    torch.testing.assert_close(converted.state_dict, expected.state_dict, rtol=0, atol=0)


def test_converted_gate_has_the_map_of_the_original() -> None:
    data = fixture(FIXTURES["attention-gate"])
    gate = build(convert_state_dict("attention-gate", data["state_dict"]))
    assert isinstance(gate, AttentionGate)
    torch.testing.assert_close(gate.attention_weights(*data["inputs"]), data["outputs"][1], rtol=0, atol=1e-5)


def non_local(**options: Any) -> dict[str, Tensor]:
    """Return weights of a non-local block with the names of the original."""
    torch.manual_seed(0)
    block = SelfAttention(6, **options)
    names = {"output": "W"} | ({"g": "g.0", "phi": "phi.0"} if options.get("sub_sample") else {})
    pairs = (name.partition(".") for name in block.state_dict())
    return {
        f"{names.get(first, first)}.{rest}": value
        for (first, _, rest), value in zip(pairs, block.state_dict().values(), strict=True)
    }


@pytest.mark.parametrize(
    "options",
    [
        {"inter_channels": 2},
        {"mode": "gaussian"},
        {"batch_norm": False},
        {"sub_sample": [1, 2, 2]},
        {"spatial_dims": 2, "sub_sample": [2, 2]},
    ],
    ids=str,
)
def test_infers_the_arguments_of_a_non_local_block(options: dict[str, Any]) -> None:
    config = convert_state_dict("non-local", non_local(**options)).config
    assert config["in_channels"] == 6
    assert {name: config[name] for name in options} == options


def test_names_the_network_by_its_dotted_path() -> None:
    assert convert_state_dict("non-local", non_local()).network == "mri_attention.networks.blocks.SelfAttention"


def test_accepts_checkpoints_and_parallel_modules() -> None:
    weights = non_local()
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": value for name, value in weights.items()}}
    plain, unwrapped = convert_state_dict("non-local", weights), convert_state_dict("non-local", wrapped)
    assert plain.config == unwrapped.config
    torch.testing.assert_close(plain.state_dict, unwrapped.state_dict, rtol=0, atol=0)


def test_weights_become_single_precision() -> None:
    weights = {name: value.half() if value.is_floating_point() else value for name, value in non_local().items()}
    converted = convert_state_dict("non-local", weights)
    assert {value.dtype for value in converted.state_dict.values()} == {torch.float32, torch.int64}
    build(converted)(features(1, 6, 3, 3, 3))


def test_counts_of_batches_may_miss() -> None:
    weights = non_local()
    del weights["W.1.num_batches_tracked"]
    assert convert_state_dict("non-local", weights).state_dict["output.1.num_batches_tracked"] == 0


def changed(removed: str = "", **added: Tensor) -> dict[str, Tensor]:
    return {name: value for name, value in non_local().items() if name != removed} | added


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (changed("g.weight"), "no weights of non-local: missing g.weight"),
        (changed("phi.bias"), "no weights of non-local: missing what is named here phi.bias"),
        (changed(psi=torch.zeros(3)), "no weights of non-local: unexpected psi"),
        (changed(**{"phi.0.bias": torch.zeros(3)}), "unexpected phi.bias, phi.0.bias"),
        (changed(**{"W.1.bias": torch.zeros(5)}), r"W.1.bias has the shape \(5,\), expected is \(6,\)"),
        (changed(**{"g.weight": torch.zeros(5)}), "tensors of unexpected shapes"),
        (changed(**{"g.weight": torch.zeros(3, 6, 1)}), "spatial_dims must be 2 or 3, got 1"),
        ({"epoch": 3}, "state_dict must hold tensors by name"),
        ([torch.zeros(3)], "state_dict must hold tensors by name"),
        ({}, "no weights of non-local: missing g.weight"),
    ],
)
def test_rejects_other_weights(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convert_state_dict("non-local", weights)


def test_rejects_unknown_original() -> None:
    with pytest.raises(ValueError, match="unknown original 'nonlocal', known are: rsa-block, da-pam"):
        convert_state_dict("nonlocal", {})


@pytest.mark.parametrize("original", FIXTURES)
def test_weights_of_one_original_are_none_of_another(original: str) -> None:
    weights = fixture(FIXTURES[original])["state_dict"]
    for other in ORIGINALS.keys() - {original}:
        with pytest.raises(ValueError, match=f"no weights of {other}"):
            convert_state_dict(other, weights)

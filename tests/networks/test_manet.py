"""Tests of MANet and of what it is measured against."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mri_attention.networks.blocks import T1GuidedAttention
from mri_attention.networks.nets import (
    DRDN,
    DenseUNet,
    DuDoRNet,
    EarlyFusionDenseUNet,
    GuidedDenseUNet,
    MANet,
    SingleCoilVarNet,
    ZeroFilledUNet,
)
from tests.helpers import assert_deterministic_in_eval, features, with_open_gates

ABLATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "image domain": {"domains": "image"},
    "k-space": {"domains": "kspace"},
    "acquired guide": {"auxiliary_image": "acquired"},
    "without attention": {"attention": "concatenation"},
    "spatial first": {"attention": "spatial-channel", "attention_options": {"pooling": "average"}},
    "mixed order": {"attention": "mixed", "concat_aux": False},
    "data consistency": {"data_consistency": True},
    "residual": {"is_residual": True},
}
DUDORNET = {"width": 4, "growth": 4, "n_blocks": 1, "dilations": (1, 2), "n_recurrences": 2}
CENTERED = (-2, -1)


def manet(**options: Any) -> MANet:
    torch.manual_seed(0)
    network = MANet(width=8, **options)
    for module in network.modules():
        if isinstance(module, T1GuidedAttention):  # the one unit of the squeeze is active
            nn.init.constant_(module.channel[0].weight, 0.1)
    return network


def acquisition(height: int = 21, width: int = 34) -> tuple[Tensor, Tensor, Tensor]:
    """Return every second line of a complex k-space, a guide, and the mask."""
    kspace = torch.complex(features(2, 1, height, width), features(2, 1, height, width).flip(2))
    mask = torch.arange(width) % 2 == 0
    return kspace * mask, features(2, 1, height, width).flip(3).abs(), mask


def zero_filled(kspace: Tensor) -> Tensor:
    image = torch.fft.ifft2(torch.fft.ifftshift(kspace, CENTERED), norm="ortho")
    return torch.fft.fftshift(image, CENTERED)


def assert_every_parameter_is_reached(network: nn.Module, *inputs: Tensor) -> None:
    outputs = network(*inputs)
    outputs = outputs if isinstance(outputs, dict) else {"image": outputs}
    sum(output.abs().square().sum() for output in outputs.values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize(
    ("network", "options", "n_parameters"),
    [
        (MANet, {}, 7_283_670),
        (MANet, {"domains": "image"}, 3_641_674),
        (MANet, {"domains": "kspace"}, 3_641_996),
        (DuDoRNet, {}, 650_628),
        (DRDN, {}, 325_314),
        (DRDN, {"in_channels": 2}, 324_738),
    ],
    ids=str,
)
def test_has_the_parameters_that_the_original_uses(
    network: type[nn.Module], options: dict[str, Any], n_parameters: int
) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in network(**options).parameters()) == n_parameters


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_manet_reaches_every_parameter_at_any_size(ablation: str) -> None:
    network, inputs = with_open_gates(manet(**ABLATIONS[ablation])), acquisition()
    assert_every_parameter_is_reached(network, *inputs)
    network.eval()
    outputs = network(*inputs)
    domains = ABLATIONS[ablation].get("domains", "both")
    expected = {"image", "auxiliary_image"} | (set() if domains == "image" else {"kspace", "auxiliary_kspace"})
    assert set(outputs) == expected
    assert {output.shape for output in outputs.values()} == {(2, 1, 21, 34)}
    assert {name for name, output in outputs.items() if output.is_complex()} == expected - {"image", "auxiliary_image"}
    assert_deterministic_in_eval(network, *inputs)


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_guide_matters(ablation: str) -> None:
    network, (kspace, auxiliary, mask) = with_open_gates(manet(**ABLATIONS[ablation])).eval(), acquisition()
    changed = network(kspace, auxiliary.flip(2), mask)["image"]
    assert not torch.allclose(network(kspace, auxiliary, mask)["image"], changed, rtol=1e-4)


def test_image_domain_gets_what_k_space_gives() -> None:
    network, (kspace, auxiliary, mask) = manet().eval(), acquisition()
    outputs = network(kspace, auxiliary, mask)
    images = [zero_filled(outputs[name]).abs() for name in ("kspace", "auxiliary_kspace")]
    torch.testing.assert_close(network.image(*images), (outputs["image"], outputs["auxiliary_image"]))


def test_acquired_guide_reaches_the_image_domain() -> None:
    network, (kspace, auxiliary, mask) = manet(auxiliary_image="acquired").eval(), acquisition()
    outputs = network(kspace, auxiliary, mask)
    images = zero_filled(outputs["kspace"]).abs(), auxiliary
    torch.testing.assert_close(network.image(*images), (outputs["image"], outputs["auxiliary_image"]))


def test_data_consistency_keeps_the_measured_samples() -> None:
    """Of a k-space that is fully measured, the image is that of the measurement."""
    network, (kspace, auxiliary, _) = manet(data_consistency=True).eval(), acquisition()
    everywhere = torch.ones(1, dtype=torch.bool)
    torch.testing.assert_close(network(kspace, auxiliary, everywhere)["image"], zero_filled(kspace).abs())


def test_residual_networks_start_as_the_identity() -> None:
    kspace, guide, _ = acquisition()
    image = zero_filled(kspace).abs()
    outputs = manet(is_residual=True)(kspace, guide)
    torch.testing.assert_close(outputs["kspace"], kspace)
    torch.testing.assert_close(outputs["image"], image)
    torch.testing.assert_close(outputs["auxiliary_image"], guide)
    for network in (EarlyFusionDenseUNet(width=4, is_residual=True), ZeroFilledUNet((4, 4, 4, 4, 4, 4), True)):
        padded = torch.nn.functional.pad(kspace, (0, 0, 0, 11))  # MONAI's U-Net has four poolings
        torch.testing.assert_close(network(padded, torch.ones(2, 1, 32, 34)), zero_filled(padded).abs())


def test_residual_manet_keeps_an_estimate_where_there_are_no_samples() -> None:
    kspace, guide, mask = acquisition()
    estimate = torch.where(mask, kspace, kspace.roll(1, -1))
    outputs = manet(is_residual=True, data_consistency=True)(estimate, guide, mask)
    torch.testing.assert_close(outputs["image"], zero_filled(estimate).abs(), rtol=1e-4, atol=1e-5)


def test_data_consistent_image_is_the_part_in_phase() -> None:
    network, (kspace, guide, _) = manet(domains="image", is_residual=True, data_consistency=True), acquisition()
    nn.init.constant_(network.image.target.head.bias, -0.8)
    mask = features(1, 1, 21, 34) > 0
    image = zero_filled(kspace)
    darker = image * (1 - 0.8 / image.abs())
    spectrum = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(darker, CENTERED), norm="ortho"), CENTERED)
    agreeing = zero_filled(torch.where(mask, kspace, spectrum))
    in_phase = agreeing.abs() * torch.cos(agreeing.angle() - image.angle())
    assert (in_phase < -0.01).any()
    found = network(kspace, guide, mask)["image"]
    torch.testing.assert_close(found, in_phase.clamp_min(0), rtol=1e-4, atol=1e-4)


def test_data_consistency_has_right_gradients_for_negative_images() -> None:
    network, (kspace, auxiliary, mask) = manet(domains="image", data_consistency=True).eval().double(), acquisition()
    bias = network.image.target.head.bias

    def loss(value: float) -> Tensor:
        nn.init.constant_(bias, value)
        return network(kspace.to(torch.complex128), auxiliary.double(), mask)["image"].square().sum()

    (gradient,) = torch.autograd.grad(loss(-5.0), bias)
    expected = (loss(-5.0 + 1e-5) - loss(-5.0 - 1e-5)) / 2e-5
    assert gradient.any()
    torch.testing.assert_close(gradient[0], expected, rtol=1e-4, atol=1e-4)


def test_released_transform_differs_by_scale_and_center_only() -> None:
    kspace, _, _ = acquisition(16, 32)
    centered, released = (manet(transform=name)._to_image(kspace) for name in ("orthonormal", "released"))
    expected = torch.fft.fftshift(released, CENTERED).abs() * (16 * 32) ** 0.5
    torch.testing.assert_close(centered.abs(), expected)


@pytest.mark.parametrize("size", [(21, 34), (16, 16), (5, 40)], ids=str)
def test_dense_unet_is_that_of_an_image_with_zeros_at_its_ends(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network, x = DenseUNet(1, 2, width=4).eval(), features(2, 1, *size)
    padded = torch.zeros(2, 1, *(n + -n % 16 for n in size))
    padded[..., : size[0], : size[1]] = x
    torch.testing.assert_close(network(x), network(padded)[..., : size[0], : size[1]])


def test_guide_is_not_changed_by_the_target() -> None:
    torch.manual_seed(0)
    network, x = GuidedDenseUNet(1, width=4).eval(), features(2, 1, 16, 16)
    first, second = (network(y, x)[1] for y in (x, x.flip(2)))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.parametrize("network", [EarlyFusionDenseUNet, ZeroFilledUNet])
def test_baselines_reach_every_parameter(network: type[nn.Module]) -> None:
    torch.manual_seed(0)
    options = {"width": 4} if network is EarlyFusionDenseUNet else {"features": (4, 4, 4, 4, 4, 4)}
    module, inputs = network(**options), acquisition(35, 50)
    assert_every_parameter_is_reached(module, *inputs)
    assert module.eval()(*inputs).shape == (2, 1, 35, 50)
    torch.testing.assert_close(module(*inputs), module(*inputs), rtol=0, atol=0)


def test_unguided_baseline_ignores_the_guide() -> None:
    network, (kspace, auxiliary, mask) = ZeroFilledUNet((4, 4, 4, 4, 4, 4)).eval(), acquisition(32, 48)
    torch.testing.assert_close(network(kspace), network(kspace, auxiliary, mask), rtol=0, atol=0)


@pytest.mark.parametrize("network", [MANet, DuDoRNet, EarlyFusionDenseUNet])
def test_autocast_stays_near_single_precision(network: type[nn.Module]) -> None:
    torch.manual_seed(0)
    module = network(**(DUDORNET if network is DuDoRNet else {"width": 4})).eval()
    inputs = acquisition()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        outputs = module(*inputs)
    output, expected = (y["image"] if isinstance(y, dict) else y for y in (outputs, module(*inputs)))
    assert (output - expected).abs().mean() < 0.05 * expected.abs().mean()


@pytest.mark.parametrize("is_guided", [True, False])
@pytest.mark.parametrize("norm", ["ortho", "backward"])
def test_dudornet_reaches_every_parameter(is_guided: bool, norm: str) -> None:
    torch.manual_seed(0)
    network, (kspace, auxiliary, mask) = DuDoRNet(is_guided=is_guided, norm=norm, **DUDORNET), acquisition(9, 14)
    for block in (*network.image.blocks, *network.kspace.blocks):
        nn.init.constant_(block.attention.fc[0].weight, 0.1)
        nn.init.constant_(block.fusion.bias, 1.0)
    inputs = (kspace, auxiliary if is_guided else None, mask)
    assert_every_parameter_is_reached(network, *inputs)
    outputs = network.eval()(*inputs)
    assert [tuple(output.shape) for output in outputs.values()] == [(2, 1, 9, 14), (2, 2, 9, 14), (2, 2, 9, 14)]
    torch.testing.assert_close(network(*inputs), outputs, rtol=0, atol=0)


def test_dudornet_keeps_the_measured_samples() -> None:
    torch.manual_seed(0)
    network, (kspace, auxiliary, mask) = DuDoRNet(**DUDORNET).eval(), acquisition(9, 14)
    outputs = network(kspace, auxiliary, mask)
    for image in (outputs["image"], outputs["images"]):
        spectrum = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(image, CENTERED), norm="ortho"), CENTERED)
        expected = kspace.expand_as(spectrum)[..., mask]
        torch.testing.assert_close(spectrum[..., mask], expected, rtol=1e-4, atol=1e-5)


def test_dudornet_shares_its_networks_between_recurrences() -> None:
    sizes = (sum(p.numel() for p in DuDoRNet(**(DUDORNET | {"n_recurrences": n})).parameters()) for n in (1, 4))
    assert len(set(sizes)) == 1


@pytest.mark.parametrize(("is_guided", "message"), [(True, "is missing"), (False, "is not expected")])
def test_dudornet_rejects_a_guide_too_much_or_few(is_guided: bool, message: str) -> None:
    kspace, auxiliary, _ = acquisition(9, 14)
    with pytest.raises(ValueError, match=f"auxiliary {message}"):
        DuDoRNet(is_guided=is_guided, **DUDORNET)(kspace, None if is_guided else auxiliary)


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (MANet, {"domains": "none"}, "domains must be one of both, image, kspace, got 'none'"),
        (MANet, {"auxiliary_image": "true"}, "auxiliary_image must be one of predicted, acquired, got 'true'"),
        (MANet, {"transform": "fft"}, "transform must be one of orthonormal, released, got 'fft'"),
        (MANet, {"attention": "none"}, "attention must be one of .* concatenation, got 'none'"),
        (MANet, {"attention": "concatenation", "attention_options": {"reduction": 2}}, "has no attention_options"),
        (DuDoRNet, {"n_recurrences": 0}, "n_recurrences must not be below 1, got 0"),
        (DuDoRNet, {"norm": "forward"}, "norm must be .* got 'forward'"),
    ],
    ids=str,
)
def test_rejects_options(network: type[nn.Module], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(**options)


class Constant(nn.Module):
    """Refinement that is the same whatever it sees."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.image = torch.view_as_real(image)

    def forward(self, x: Tensor) -> Tensor:
        return self.image.expand_as(x)


def test_varnet_subtracts_refinements_and_returns_to_the_samples() -> None:
    network = SingleCoilVarNet(2, (4, 4, 4, 4, 4, 4))
    kspace, guide, mask = acquisition(32, 48)
    refinement = torch.complex(features(2, 1, 32, 48), features(2, 1, 32, 48).flip(3))
    for cascade in network.cascades:
        cascade.model = Constant(refinement)
    spectrum = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(refinement, CENTERED), norm="ortho"), CENTERED)
    first = kspace - spectrum
    second = first - mask * (first - kspace) - spectrum
    torch.testing.assert_close(network(kspace, guide, mask), zero_filled(second).abs(), atol=1e-5, rtol=1e-4)


def test_varnet_trains_each_cascade() -> None:
    network = SingleCoilVarNet(2, (4, 4, 4, 4, 4, 4))
    network(*acquisition(32, 48)).square().sum().backward()
    for cascade in network.cascades:
        assert cascade.model.unet.final_conv.weight.grad.abs().max() > 0


def test_varnet_leaves_slices_without_signal_at_zero() -> None:
    network, (kspace, _, mask) = SingleCoilVarNet(1, (4, 4, 4, 4, 4, 4)), acquisition(24, 34)
    kspace[1] = 0
    for sampled in (mask, None):
        image = network(kspace, None, sampled)
        assert not image[1].any()
        torch.testing.assert_close(image[:1], network(kspace[:1], None, sampled))
        image.sum().backward()
        assert all(p.grad.isfinite().all() for p in network.parameters())
    assert not network(torch.zeros_like(kspace), None, mask).any()


def test_varnet_needs_cascades() -> None:
    with pytest.raises(ValueError, match="must be positive, got 0"):
        SingleCoilVarNet(0)

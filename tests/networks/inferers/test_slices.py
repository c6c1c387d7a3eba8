"""Tests of inference over stacks of slices, and of compressed sensing."""

import pytest
import torch
from torch import Tensor

from mri_attention.losses import GuidedReconstructionLoss
from mri_attention.networks.inferers import SliceBatchInferer, image_of
from mri_attention.networks.nets import CompressedSensing, ZeroFilling
from mri_attention.operators import CompressedSensingSolver, image_to_kspace, kspace_to_image
from tests.helpers import features

KSPACE = image_to_kspace(features(1, 1, 5, 16, 12).abs())


@pytest.mark.parametrize("batch_size", [1, 2, None])
def test_slices_stay_in_their_places(batch_size: int | None) -> None:
    result = SliceBatchInferer(batch_size)(KSPACE, ZeroFilling(), auxiliary=KSPACE.abs())
    torch.testing.assert_close(result, kspace_to_image(KSPACE).abs())


def test_network_gets_slices_of_all_three_and_outputs_keep_their_channels() -> None:
    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor) -> dict[str, Tensor]:
        assert kspace.shape == auxiliary.shape == mask.shape
        return {"image": auxiliary, "both": torch.cat([kspace, mask + 0j], 1)}

    mask = torch.zeros(1, 1, 1, 16, 12, dtype=torch.bool)
    guide = features(1, 1, 5, 16, 12)
    out = SliceBatchInferer(2, image_only=False)(KSPACE, network, auxiliary=guide, mask=mask)
    torch.testing.assert_close(out["image"], guide)
    torch.testing.assert_close(out["both"], torch.cat([KSPACE, torch.zeros_like(KSPACE)], 1))
    torch.testing.assert_close(image_of(out), guide.abs())


def test_slices_of_a_plain_batch() -> None:
    assert SliceBatchInferer(3)(KSPACE[:, :, 0], ZeroFilling(), auxiliary=KSPACE[:, :, 0].abs()).shape == (1, 1, 16, 12)


def test_guide_as_second_channel_is_the_guide() -> None:
    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor) -> Tensor:
        return kspace_to_image(kspace) * mask.all() + auxiliary

    guide = features(1, 1, 5, 16, 12)
    together = SliceBatchInferer(2)(torch.cat([KSPACE, guide + 0j], 1), network)
    torch.testing.assert_close(together, SliceBatchInferer(2)(KSPACE, network, auxiliary=guide))


def test_mask_as_third_channel_is_the_mask() -> None:
    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor) -> Tensor:
        return kspace_to_image(kspace * mask) + auxiliary

    guide, mask = features(1, 1, 5, 16, 12), (torch.arange(12) % 3 == 0).expand(1, 1, 5, 16, 12)
    together = SliceBatchInferer(2)(torch.cat([KSPACE, guide + 0j, mask + 0j], 1), network)
    torch.testing.assert_close(together, SliceBatchInferer(2)(KSPACE, network, auxiliary=guide, mask=mask))


def test_noise_and_samples_are_passed_on_where_they_are_given() -> None:
    noise = torch.arange(5.0)[None, None, :, None, None]

    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor, noise: Tensor, measured: Tensor) -> Tensor:
        assert noise.shape == (len(kspace), 1, 1, 1)
        return kspace_to_image(measured) + noise + auxiliary

    guide, mask = features(1, 1, 5, 16, 12), KSPACE.real > 0
    expected = (kspace_to_image(2 * KSPACE) + noise + guide).abs()
    given = {"mask": mask, "noise": noise, "measured": 2 * KSPACE}
    torch.testing.assert_close(SliceBatchInferer(2)(KSPACE, network, auxiliary=guide, **given), expected)
    channels = [KSPACE, guide + 0j, mask + 0j, noise.expand(KSPACE.shape) + 0j, 2 * KSPACE]
    torch.testing.assert_close(SliceBatchInferer(2)(torch.cat(channels, 1), network), expected)
    without = SliceBatchInferer(2)(KSPACE, network, auxiliary=guide, noise=torch.ones(1, 1, 1, 1, 1))
    torch.testing.assert_close(without, (kspace_to_image(KSPACE) + 1 + guide).abs())


def test_rejects_no_slices() -> None:
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        SliceBatchInferer(0)


def phantom() -> torch.Tensor:
    image = torch.zeros(1, 1, 48, 40)
    image[..., 8:40, 8:32] = 1
    image[..., 20:30, 12:20] = 0.4
    return image


def test_compressed_sensing_is_the_image_of_what_its_transform_fills() -> None:
    kspace = image_to_kspace(phantom()) * (torch.arange(40) % 3 > 0)
    image = CompressedSensing(weight=0.002, n_iterations=7)(kspace)
    filled = CompressedSensingSolver(weight=0.002, n_iterations=7)(kspace)
    torch.testing.assert_close(image, kspace_to_image(filled), rtol=0, atol=0)


def test_loss_is_zero_for_the_truth_in_every_domain() -> None:
    target = torch.complex(features(2, 2, 3, 8, 8), features(2, 2, 3, 8, 8).flip(2))
    image, guide = target.split(1, 1)
    magnitudes = {"image": image.abs(), "auxiliary_image": guide.abs()}
    kspaces = {"kspace": image_to_kspace(image), "auxiliary_kspace": image_to_kspace(guide)}
    loss = GuidedReconstructionLoss()
    assert loss(magnitudes | kspaces, target) == 0
    assert loss(image.abs(), target) == loss(image, target) == 0
    assert loss(image.abs() + 1, target) == pytest.approx(1)
    with pytest.raises(ValueError, match="must have two channels"):
        loss(image, image)


def test_of_no_samples_there_is_no_image() -> None:
    """What a network makes of nothing has no scale."""
    kspace = KSPACE.clone()
    kspace[:, :, 2] = 0
    result = SliceBatchInferer(2)(kspace, lambda kspace, auxiliary, mask: auxiliary, KSPACE.abs())
    assert (result[:, :, 2] == 0).all()
    torch.testing.assert_close(result[:, :, :2], KSPACE.abs()[:, :, :2])

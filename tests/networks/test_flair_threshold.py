import pytest
import torch
from monai.inferers import SimpleInferer
from scipy.ndimage import gaussian_filter
from torch import Tensor

from mri_attention.networks.inferers import MixedPrecisionInferer
from mri_attention.networks.nets import FLAIRThreshold, fit_threshold


def case(seed: int, lesion: float = 3.0, noise: float = 0.3) -> tuple[Tensor, Tensor]:
    """Three images and a mask: a bright cube in the third image."""
    image = noise * torch.randn(3, 14, 12, 10, generator=torch.Generator().manual_seed(seed))
    label = torch.zeros(1, 14, 12, 10)
    label[:, 4:9, 3:8, 2:7] = 1
    image[2] += lesion * label[0]
    return image, label


def dice(network: FLAIRThreshold, image: Tensor, label: Tensor) -> float:
    prediction = network(image[None]).argmax(1)
    return float(2 * (prediction * label).sum() / (prediction.sum() + label.sum()))


def test_argmax_is_one_above_the_threshold_of_the_flair() -> None:
    image, _ = case(0)
    logits = FLAIRThreshold(1.5, smoothing=0)(image[None])
    assert logits.shape == (1, 2, 14, 12, 10)
    assert torch.equal(logits.argmax(1)[0] == 1, image[2] > 1.5)


def test_smoothing_is_gaussian() -> None:
    image, _ = case(0, noise=1.0)
    lesion = FLAIRThreshold(1.5, smoothing=1.0)(image[None])[0, 1]
    expected = torch.as_tensor(gaussian_filter(image[2].numpy(), 1.0, mode="nearest")) - 1.5
    torch.testing.assert_close(lesion, expected, rtol=0, atol=1e-5)


def test_half_precision_around_it_changes_nothing() -> None:
    image, _ = case(0)
    network = FLAIRThreshold(1.4, smoothing=0.5)
    torch.testing.assert_close(MixedPrecisionInferer(SimpleInferer())(image[None], network), network(image[None]))


def test_state_dict_restores_threshold_and_smoothing() -> None:
    image, _ = case(0)
    restored = FLAIRThreshold()
    restored.load_state_dict(FLAIRThreshold(1.25, smoothing=1.5).state_dict())
    torch.testing.assert_close(restored(image[None]), FLAIRThreshold(1.25, smoothing=1.5)(image[None]))


def test_fit_finds_the_best_of_the_grid() -> None:
    cases = [case(0, noise=1.0), case(1, lesion=2.0, noise=1.0)]
    thresholds, smoothings = (0.5, 1.0, 1.5, 2.5), (0.0, 0.8, 1.6)
    fitted = fit_threshold(cases, 2, thresholds, smoothings)
    grid = [FLAIRThreshold(threshold, 2, smoothing) for threshold in thresholds for smoothing in smoothings]
    means = [sum(dice(network, *pair) for pair in cases) for network in grid]
    assert sum(dice(fitted, *pair) for pair in cases) == pytest.approx(max(means))


def test_fit_leaves_out_cases_without_lesions() -> None:
    image, label = case(0)
    healthy = (image, torch.zeros_like(label))
    alone, both = fit_threshold([(image, label)]), fit_threshold([healthy, (image, label)])
    assert (alone.threshold, alone.smoothing) == (both.threshold, both.smoothing)


def test_fit_rejects_data_without_any_lesion() -> None:
    image, label = case(0)
    with pytest.raises(ValueError, match="at least one case with lesions"):
        fit_threshold([(image, torch.zeros_like(label))])


def test_rejects_negative_smoothing() -> None:
    with pytest.raises(ValueError, match=r"smoothing must not be negative, got -1"):
        FLAIRThreshold(smoothing=-1)

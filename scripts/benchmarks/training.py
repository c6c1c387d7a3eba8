"""The benchmark ``training``: steps of SANet's training, against a straightforward form of the same network."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import torch
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from ...losses import GuidedSuperResolutionLoss
from ...networks.blocks import ChannelSpatialConvolution
from ...networks.inferers.mixed_precision import MixedPrecisionInferer, has_fast_bfloat16
from ...networks.nets import SANet, TwoContrastNetwork
from ..running.differences import require_close
from .measurement import interleaved_times, peak_apart, peak_memory
from .result import MEDIANS, Result, Settings, grouped_bars, ratio

N_PATCHES = 4  # the batch of the authors' code
PUBLISHED, HERE = "as published", "here"
TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 0.1}  # of the largest value
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "paper": lambda: TwoContrastNetwork(SANet(), stride=2),
    "bundle": lambda: TwoContrastNetwork(SANet(1, 3, 3, 32, fusion_options={"norm": None}), is_residual=True),
}


class PublishedChannelSpatialConvolution(ChannelSpatialConvolution):
    """The block as HAN's code writes it, by a 3D convolution of a single channel."""

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the weights for ``x`` ``(b, c, h, w)``, as the block of which this is a form does."""
        weights: Tensor = self.conv(x[:, None])[:, 0].sigmoid()
        return weights


@dataclass
class TrainingCost:
    """What a form of a network costs; peak memory in bytes, times in seconds, one for each round."""

    network: str
    form: str
    size: int
    parameters: int
    peak: int
    times: list[float] = field(default_factory=list)


def training(settings: Settings) -> Result:
    """Compare steps of training here with those of the form as published."""
    costs = measure_training(settings)
    return Result(
        f"Steps of training SANet on {N_PATCHES} patches",
        {"patches": N_PATCHES, "costs": [asdict(cost) for cost in costs]},
        training_rows(costs),
        _bars(costs),
        f"{MEDIANS} Memory is the peak beyond weights and images.",
    )


def measure_training(settings: Settings) -> list[TrainingCost]:
    """Time steps of Adam on 4 patches, for both forms in turn.

    The form as published computes in float32, on images of contiguous channels, with attention over channels and space
    by a 3D convolution. That here is what the bundle trains: channels last, under autocast to bfloat16 where the
    device has fast arithmetic for it, and with that attention by a 2D convolution.

    Raises:
        RuntimeError: if the two give different images, before any of them is timed.
    """
    costs, device = [], settings.device
    for size in settings.sizes:
        for name, make in NETWORKS.items():
            settings.progress(f"{name} at {size} x {size}")
            forms = {form: build(make, form, device) for form in (PUBLISHED, HERE)}
            check_equal_forms(forms, device, f"{name} at {size}")
            steps = [training_step(network, form, size, device) for form, network in forms.items()]
            n_parameters = sum(p.numel() for p in forms[HERE].parameters())
            for form, times in zip(forms, interleaved_times(steps, device, settings.n_rounds), strict=True):
                peak = peak_apart(peak_of, name, form, size, device)
                costs.append(TrainingCost(name, form, size, n_parameters, peak, times))
    return costs


def build(make: Callable[[], nn.Module], form: str, device: torch.device) -> nn.Module:
    """Build a network in one of the two forms, with the same weights in both."""
    torch.manual_seed(0)
    network = make().to(device)
    if form == PUBLISHED:
        for module in list(network.modules()):
            for name, child in module.named_children():
                if isinstance(child, ChannelSpatialConvolution):
                    literal = PublishedChannelSpatialConvolution().to(device)
                    literal.load_state_dict(child.state_dict())
                    setattr(module, name, literal)
    return network


def check_equal_forms(forms: Mapping[str, nn.Module], device: torch.device, place: str) -> None:
    """Check that both forms give the same image, in float32 and in what the form here computes in.

    Raises:
        RuntimeError: if they differ by more than 1e-4 of the largest value in float32, or a tenth in bfloat16.
    """
    for module in (m for network in forms.values() for m in network.modules()):
        if isinstance(module, ChannelSpatialConvolution):
            nn.init.constant_(module.gamma, 0.5)  # at zero, the attention has no effect
    image = torch.rand(1, 2, 32, 32, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        expected = forms[PUBLISHED].eval()(image)
        for dtype, tolerance in TOLERANCES.items():
            found = MixedPrecisionInferer(SimpleInferer(), dtype == torch.bfloat16)(image, forms[HERE].eval())
            require_close(found, expected, tolerance, f"the images of {place} in {dtype}")


def training_step(network: nn.Module, form: str, size: int, device: torch.device) -> Callable[[], None]:
    """Return a function that makes one step of the optimizer on 4 random patches ``size x size``."""
    image = torch.rand(N_PATCHES, 2, size, size, generator=torch.Generator().manual_seed(0)).to(device)
    inferer = MixedPrecisionInferer(SimpleInferer(), has_fast_bfloat16(device)) if form == HERE else SimpleInferer()
    loss, optimizer = GuidedSuperResolutionLoss(), torch.optim.Adam(network.train().parameters(), 1e-4)

    def run() -> None:
        optimizer.zero_grad()
        loss(inferer(image, network), image.flip(2)).backward()
        optimizer.step()

    return run


def training_rows(costs: Sequence[TrainingCost]) -> list[dict[str, str]]:
    """Rows of the table; ratios of times are medians of those within a round, with quartiles."""
    references = {(cost.network, cost.size): cost for cost in costs if cost.form == PUBLISHED}
    return [_row(cost, references[cost.network, cost.size]) for cost in costs]


def _row(cost: TrainingCost, reference: TrainingCost) -> dict[str, str]:
    median = statistics.median(cost.times)
    return {
        "network": cost.network,
        "patch": f"{cost.size} x {cost.size}",
        "form": cost.form,
        "parameters": f"{cost.parameters:,}",
        "step (ms)": f"{1000 * median:.0f}",
        "steps/s": f"{1 / median:.2f}",
        "memory (MiB)": f"{cost.peak / 2**20:.0f}",
        "times as fast": ratio(reference.times, cost.times),
        "memory of": f"{100 * cost.peak / reference.peak:.0f} %" if reference.peak else "-",
    }


def _bars(costs: Sequence[TrainingCost]) -> bytes:
    forms = {form: [cost for cost in costs if cost.form == form] for form in (PUBLISHED, HERE)}
    speeds = {form: [1 / statistics.median(cost.times) for cost in found] for form, found in forms.items()}
    peaks = {form: [cost.peak / 2**20 for cost in found] for form, found in forms.items()}
    groups = [f"{cost.network} {cost.size}" for cost in forms[HERE]]
    return grouped_bars(groups, {"steps per second": speeds, "peak memory (MiB)": peaks})


def peak_of(network: str, form: str, size: int, device: torch.device) -> int:
    """Peak memory in bytes of one step, beyond weights, the optimizer's state and images."""
    built = build(NETWORKS[network], form, device)
    training_step(built, form, 8, device)()  # what the first step loads
    step = training_step(built, form, size, device)
    return peak_memory(step, device)

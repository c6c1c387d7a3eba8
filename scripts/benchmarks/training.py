"""The benchmark ``training``: steps of SANet's training, against a straightforward form of the same network."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import torch
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from ...losses import GuidedSuperResolutionLoss
from ...networks.blocks import ChannelSpatialConvolution
from ...networks.inferers.mixed_precision import MixedPrecisionInferer, has_fast_bfloat16
from ...networks.nets import SANet, TwoContrastNetwork
from .attention_costs import ratio
from .measurement import describe_machine, interleaved_times, peak_memory

N_PATCHES = 4  # the batch of the authors' code
PUBLISHED, HERE = "as published", "here"
TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 0.1}  # of the largest value
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "paper": lambda: TwoContrastNetwork(SANet(), stride=2),
    "bundle": lambda: TwoContrastNetwork(SANet(1, 3, 3, 32, fusion_options={"norm": None}), is_residual=True),
}
HEADER = [
    "network",
    "patch",
    "form",
    "parameters",
    "step (ms)",
    "steps/s",
    "memory (MiB)",
    "times as fast",
    "memory of",
]


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


@dataclass
class TrainingBenchmark:
    """All costs, the form as published before that here, and the machine they were measured on."""

    machine: dict[str, str]
    costs: list[TrainingCost]

    def content(self) -> dict[str, object]:
        """Return everything as what JSON can hold."""
        return {"machine": self.machine, "patches": N_PATCHES, "costs": [asdict(cost) for cost in self.costs]}


def measure_training(
    device: torch.device,
    sizes: Sequence[int],
    n_rounds: int,
    progress: Callable[[str], None],
) -> TrainingBenchmark:
    """Time steps of Adam on 4 patches, for both forms in turn.

    The form as published computes in float32, on images of contiguous channels, with attention over channels and space
    by a 3D convolution. That here is what the bundle trains: channels last, under autocast to bfloat16 where the
    device has fast arithmetic for it, and with that attention by a 2D convolution.

    Raises:
        RuntimeError: if the two give different images, before any of them is timed.
    """
    benchmark = TrainingBenchmark(describe_machine(device), [])
    for size in sizes:
        for name, make in NETWORKS.items():
            progress(f"{name} at {size} x {size}")
            forms = {form: build(make, form, device) for form in (PUBLISHED, HERE)}
            check_equal_forms(forms, device, f"{name} at {size}")
            steps = [training_step(network, form, size, device) for form, network in forms.items()]
            n_parameters = sum(p.numel() for p in forms[HERE].parameters())
            for form, times in zip(forms, interleaved_times(steps, device, n_rounds), strict=True):
                peak = _peak(name, form, size, device)
                benchmark.costs.append(TrainingCost(name, form, size, n_parameters, peak, times))
    return benchmark


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
            difference = float((expected - found).abs().max() / expected.abs().max())
            if not difference <= tolerance:
                raise RuntimeError(f"the images of {place} differ by {difference:.1e} of the largest value in {dtype}")


def training_step(network: nn.Module, form: str, size: int, device: torch.device) -> Callable[[], None]:
    """Return a function that makes one step of the optimizer on 4 random patches ``size x size``."""
    image = torch.rand(N_PATCHES, 2, size, size, generator=torch.Generator().manual_seed(0)).to(device)
    inferer = SimpleInferer()
    if form == HERE:
        inferer = MixedPrecisionInferer(SimpleInferer(), has_fast_bfloat16(device))
    loss, optimizer = GuidedSuperResolutionLoss(), torch.optim.Adam(network.train().parameters(), 1e-4)

    def run() -> None:
        optimizer.zero_grad()
        loss(inferer(image, network), image.flip(2)).backward()
        optimizer.step()

    return run


def training_rows(costs: Sequence[TrainingCost]) -> list[list[str]]:
    """Rows of :data:`HEADER`; ratios of times are medians of those within a round, with quartiles."""
    rows = []
    references = {(cost.network, cost.size): cost for cost in costs if cost.form == PUBLISHED}
    for cost in costs:
        median, reference = statistics.median(cost.times), references[cost.network, cost.size]
        memory = f"{100 * cost.peak / reference.peak:.0f} %" if reference.peak else "-"
        speed = ratio(reference.times, cost.times)
        numbers = [f"{cost.parameters:,}", f"{1000 * median:.0f}", f"{1 / median:.2f}", f"{cost.peak / 2**20:.0f}"]
        rows.append([cost.network, f"{cost.size} x {cost.size}", cost.form, *numbers, speed, memory])
    return rows


def training_bars(benchmark: TrainingBenchmark) -> bytes:
    """Plot steps per second and peak memory, as PNG."""
    from matplotlib.figure import Figure

    from ..reports.lesion_figures import to_png

    figure = Figure(figsize=(2 + 1.6 * len(benchmark.costs), 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    labels = [f"{cost.network} {cost.size}\n{cost.form}" for cost in benchmark.costs]
    colors = ["C0" if cost.form == PUBLISHED else "C1" for cost in benchmark.costs]
    left.bar(labels, [1 / statistics.median(cost.times) for cost in benchmark.costs], color=colors)
    left.set_ylabel("steps per second")
    right.bar(labels, [cost.peak / 2**20 for cost in benchmark.costs], color=colors)
    right.set_ylabel("peak memory (MiB)")
    return to_png(figure)


def _peak(network: str, form: str, size: int, device: torch.device) -> int:
    """Peak memory of a step, on a CPU in a fresh process."""
    if device.type == "cuda":
        return peak_of(network, form, size, device)
    arguments = [network, form, str(size), device.type, str(torch.get_num_threads())]
    command = [sys.executable, "-m", __name__, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def peak_of(network: str, form: str, size: int, device: torch.device) -> int:
    """Peak memory in bytes of one step, beyond weights, the optimizer's state and images."""
    built = build(NETWORKS[network], form, device)
    training_step(built, form, 8, device)()  # what the first step loads
    step = training_step(built, form, size, device)
    return peak_memory(step, device)


def _print_peak(network: str, form: str, size: str, device: str, n_threads: str) -> None:
    torch.set_num_threads(int(n_threads))
    sys.stdout.write(f"{peak_of(network, form, int(size), torch.device(device))}\n")


if __name__ == "__main__":
    _print_peak(*sys.argv[1:])

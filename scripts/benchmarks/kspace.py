"""The benchmark ``kspace``: masking the k-space of images, against MONAI's centered transforms."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from monai.networks.blocks.fft_utils_t import fftn_centered_t, ifftn_centered_t
from torch import Tensor

from ...operators import shift_mask, undersample_image
from ...transforms.masks import KspaceMask, RadialMask, RandomMask
from .attention_costs import ratio
from .measurement import describe_machine, interleaved_times

N_SLICES = 16
TOLERANCE = 1e-5  # of the largest value, in single precision
MASKS: dict[str, Callable[[], KspaceMask]] = {
    "columns": lambda: RandomMask(4, 0.08),
    "radial": lambda: RadialMask(4),
}
HEADER = ["size", "mask", "MONAI (ms)", "here (ms)", "MONAI (slices/s)", "here (slices/s)", "times as fast"]


@dataclass
class KspaceTimes:
    """Seconds of each round, for all slices of one size with one mask."""

    size: int
    mask: str
    monai: list[float]
    here: list[float]

    @property
    def speedup(self) -> float:
        """Median of the ratios within a round."""
        return statistics.median(a / b for a, b in zip(self.monai, self.here, strict=True))


@dataclass
class KspaceBenchmark:
    """All times, and the machine they were measured on."""

    machine: dict[str, str]
    times: list[KspaceTimes]

    def content(self) -> dict[str, object]:
        """Return everything as what JSON can hold."""
        rows = [asdict(row) | {"speedup": row.speedup} for row in self.times]
        return {"machine": self.machine, "slices": N_SLICES, "dtype": "complex64", "times": rows}


def measure_kspace(
    device: torch.device, sizes: Sequence[int], n_rounds: int, progress: Callable[[str], None]
) -> KspaceBenchmark:
    """Time transform, mask and inverse transform of 16 slices; both get image and mask in the form they take best.

    MONAI's is ``ifftn_centered_t(fftn_centered_t(x) * mask)`` of real and imaginary parts on a last axis.

    Raises:
        RuntimeError: if the two give different images, before any of them is timed.
    """
    benchmark = KspaceBenchmark(describe_machine(device), [])
    for size in sizes:
        for name, make in MASKS.items():
            progress(f"{size} x {size}, {name}")
            torch.manual_seed(0)
            image = torch.randn(N_SLICES, size, size, dtype=torch.complex64, device=device)
            mask = make().set_random_state(0)(image.shape).to(device)
            monai, here = _monai(image, mask), _here(image, mask)
            check_equal(monai(), here(), f"{name} at {size}")
            benchmark.times.append(KspaceTimes(size, name, *interleaved_times([monai, here], device, n_rounds)))
    return benchmark


def check_equal(expected: Tensor, found: Tensor, place: str) -> None:
    """Check that two images are equal up to rounding.

    Raises:
        RuntimeError: if they differ by more than 1e-5 of the largest value.
    """
    difference = float((expected - found).abs().max() / expected.abs().max())
    if not difference <= TOLERANCE:
        raise RuntimeError(f"the images of {place} differ by {difference:.1e} of the largest value")


def kspace_rows(times: Sequence[KspaceTimes]) -> list[list[str]]:
    """Rows of :data:`HEADER`; ratios are medians of those within a round, with quartiles."""
    rows = []
    for row in times:
        medians = [statistics.median(seconds) for seconds in (row.monai, row.here)]
        cells = [*(f"{1000 * t:.3g}" for t in medians), *(f"{N_SLICES / t:.0f}" for t in medians)]
        rows.append([f"{row.size} x {row.size}", row.mask, *cells, ratio(row.monai, row.here)])
    return rows


def kspace_bars(benchmark: KspaceBenchmark) -> bytes:
    """Plot slices per second, as PNG."""
    from matplotlib.figure import Figure

    from ..reports.lesion_figures import to_png

    figure = Figure(figsize=(2 + 1.5 * len(benchmark.times), 4), layout="constrained")
    axis = figure.add_subplot()
    places = range(len(benchmark.times))
    for shift, label in ((-0.2, "MONAI"), (0.2, "here")):
        rows = [row.monai if label == "MONAI" else row.here for row in benchmark.times]
        heights = [N_SLICES / statistics.median(seconds) for seconds in rows]
        axis.bar([place + shift for place in places], heights, 0.4, label=label)
    axis.set_xticks(list(places), [f"{row.size} x {row.size}\n{row.mask}" for row in benchmark.times])
    axis.set_ylabel("slices per second")
    axis.legend()
    return to_png(figure)


def _monai(image: Tensor, mask: Tensor) -> Callable[[], Tensor]:
    parts, weights = torch.view_as_real(image).contiguous(), mask[..., None].to(image.real.dtype)
    return lambda: torch.view_as_complex(ifftn_centered_t(fftn_centered_t(parts, 2) * weights, 2))


def _here(image: Tensor, mask: Tensor) -> Callable[[], Tensor]:
    weights = shift_mask(mask)
    return lambda: undersample_image(image, weights, is_shifted=True)

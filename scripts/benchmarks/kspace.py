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
from ..running.differences import require_close
from .measurement import interleaved_times
from .result import MEDIANS, Result, Settings, grouped_bars, milliseconds, ratio

N_SLICES = 16
TOLERANCE = 1e-5  # of the largest value, in single precision
MASKS: dict[str, Callable[[], KspaceMask]] = {
    "columns": lambda: RandomMask(4, 0.08),
    "radial": lambda: RadialMask(4),
}


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


def kspace(settings: Settings) -> Result:
    """Compare masking here with MONAI's."""
    found = measure_kspace(settings)
    rows = [asdict(row) | {"speedup": row.speedup} for row in found]
    return Result(
        f"Undersampling the k-space of {N_SLICES} slices",
        {"slices": N_SLICES, "dtype": "complex64", "times": rows},
        kspace_rows(found),
        _bars(found),
        f"Outputs are equal up to rounding. {MEDIANS}",
    )


def measure_kspace(settings: Settings) -> list[KspaceTimes]:
    """Time transform, mask and inverse transform of 16 slices; both get image and mask in the form they take best.

    MONAI's is ``ifftn_centered_t(fftn_centered_t(x) * mask)`` of real and imaginary parts on a last axis.

    Raises:
        RuntimeError: if the two give different images, before any of them is timed.
    """
    times, device = [], settings.device
    for size in settings.sizes:
        for name, make in MASKS.items():
            settings.progress(f"{size} x {size}, {name}")
            torch.manual_seed(0)
            image = torch.randn(N_SLICES, size, size, dtype=torch.complex64, device=device)
            mask = make().set_random_state(0)(image.shape).to(device)
            monai, here = _monai(image, mask), _here(image, mask)
            require_close(here(), monai(), TOLERANCE, f"the images of {name} at {size}")
            times.append(KspaceTimes(size, name, *interleaved_times([monai, here], device, settings.n_rounds)))
    return times


def kspace_rows(times: Sequence[KspaceTimes]) -> list[dict[str, str]]:
    """Rows of the table; ratios are medians of those within a round, with quartiles."""
    return [
        {
            "size": f"{row.size} x {row.size}",
            "mask": row.mask,
            "MONAI (ms)": milliseconds(row.monai),
            "here (ms)": milliseconds(row.here),
            "MONAI (slices/s)": f"{_speed(row.monai):.0f}",
            "here (slices/s)": f"{_speed(row.here):.0f}",
            "times as fast": ratio(row.monai, row.here),
        }
        for row in times
    ]


def _speed(seconds: Sequence[float]) -> float:
    """Slices per second."""
    return N_SLICES / statistics.median(seconds)


def _bars(times: Sequence[KspaceTimes]) -> bytes:
    speeds = {"MONAI": [_speed(row.monai) for row in times], "here": [_speed(row.here) for row in times]}
    return grouped_bars([f"{row.size} x {row.size}\n{row.mask}" for row in times], {"slices per second": speeds})


def _monai(image: Tensor, mask: Tensor) -> Callable[[], Tensor]:
    parts, weights = torch.view_as_real(image).contiguous(), mask[..., None].to(image.real.dtype)
    return lambda: torch.view_as_complex(ifftn_centered_t(fftn_centered_t(parts, 2) * weights, 2))


def _here(image: Tensor, mask: Tensor) -> Callable[[], Tensor]:
    weights = shift_mask(mask)
    return lambda: undersample_image(image, weights, is_shifted=True)

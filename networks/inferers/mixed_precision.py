"""Half precision where the device has fast arithmetic for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def has_fast_bfloat16(device: torch.device | str) -> bool:
    """Tell whether matrix products in bfloat16 run in hardware: CUDA since Ampere, CPUs with AMX or AVX512-BF16.

    Where ``ATEN_CPU_CAPABILITY`` keeps torch from AVX512, they do not, and its attention in bfloat16 fails.
    """
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability(device)[0] >= 8
    if device.type != "cpu" or not torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return False
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


class MixedPrecisionInferer(Inferer):
    """Run another inferer under autocast to bfloat16, on any device; the result is float32.

    MONAI's ``amp`` argument is for CUDA alone, and its float16 needs a gradient scaler; bfloat16 has the range of
    float32 and needs none. Inputs are laid out channels-last, which convolutions in bfloat16 want, and those of images
    in float32 are faster for it too.

    Args:
        inferer: does the work.
        enabled: leave everything in float32 otherwise.
    """

    def __init__(self, inferer: Inferer, enabled: bool = True) -> None:
        super().__init__()
        self.inferer = inferer
        self.enabled = enabled

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Map ``inputs`` ``(b, c, *spatial)`` to the network's output as float32, with the metadata of ``inputs``."""
        values = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        if layout := LAYOUTS.get(values.ndim):
            values = values.contiguous(memory_format=layout)
        with torch.autocast(values.device.type, torch.bfloat16, enabled=self.enabled):
            outputs = self.inferer(values, network, *args, **kwargs).float()
        return MetaTensor(outputs, meta=inputs.meta) if isinstance(inputs, MetaTensor) else outputs

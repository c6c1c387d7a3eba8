"""Tests of operators.coil_maps."""

import numpy as np
import torch

from mri_attention.operators import image_to_kspace, low_resolution_coil_maps


def test_coil_maps_are_those_of_smooth_coils() -> None:
    x = torch.linspace(-1, 1, 64)
    coils = torch.stack([torch.exp(-((x - c) ** 2)) for c in (-0.8, 0.8)])[:, None, :].expand(2, 64, 64) + 0j
    true = coils / torch.linalg.vector_norm(coils, dim=0)
    found = low_resolution_coil_maps(image_to_kspace(coils), coil_axis=0, share=0.3)
    inside = (slice(None), slice(12, 52), slice(12, 52))
    np.testing.assert_allclose(found[inside].abs(), true[inside].abs(), atol=0.05)

"""Tests of operators.dipole_inversion.structure."""

from __future__ import annotations

import pytest
import torch

from mri_attention.operators.dipole_inversion.structure import edge_weights


def test_the_strongest_differences_of_each_item_are_edges() -> None:
    image = torch.zeros(2, 1, 6, 6, 6)
    image[0, 0, 3:] = 1.0
    image[1, ..., 2:] = 50.0
    weights = edge_weights(image, (1.0, 1.0, 2.0), share=0.2)
    assert weights.shape == (3, 2, 1, 6, 6, 6)
    assert not weights[0, 0, 0, 2].any()
    assert not weights[2, 1, 0, ..., 1].any()
    assert weights[1].all()


def test_the_share_of_edges_is_of_the_mask() -> None:
    image = torch.randn(1, 1, 12, 12, 12, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros_like(image)
    mask[..., 3:9, 3:9, 3:9] = 1
    image[mask == 0] *= 100
    weights = edge_weights(image, (1.0, 1.0, 1.0), mask)
    assert 1 - weights[:, mask > 0].mean().item() == pytest.approx(0.3, abs=0.01)


def test_rejects_shares_and_images_without_edges() -> None:
    with pytest.raises(ValueError, match="share of edges must be between 0 and 1, got 1"):
        edge_weights(torch.rand(1, 1, 3, 3, 3), (1.0, 1.0, 1.0), share=1)
    with pytest.raises(ValueError, match="the same everywhere"):
        edge_weights(torch.ones(1, 1, 3, 3, 3), (1.0, 1.0, 1.0))

"""Tests of scripts.attention_maps and of the report's section on them."""

import numpy as np
import torch

from mri_attention.networks.blocks import FoldedAttention
from mri_attention.scripts.reports.attention_section import attention_section
from mri_attention.scripts.running.attention_maps import AttentionMaps, rank_one_map


def affinities(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    weights = FoldedAttention(shape[1]).attention_weights(torch.randn(shape))
    return {name: weight[0].detach().numpy() for name, weight in weights.items()}


def test_map_on_the_features_grid_is_the_row_of_equation_8() -> None:
    weights = affinities((1, 4, 3, 5, 2))
    found = rank_one_map(weights, (2, 1, 0), (3, 5, 2))
    expected = np.multiply.outer(np.multiply.outer(weights["h"][2], weights["w"][1]), weights["d"][0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isclose(found.sum(), 1, atol=1e-5)


def test_map_repeats_values_on_a_finer_grid() -> None:
    weights = affinities((1, 4, 3, 5, 2))
    fine = rank_one_map(weights, (5, 3, 1), (6, 10, 4))
    np.testing.assert_array_equal(fine[::2, ::2, ::2], rank_one_map(weights, (2, 1, 0), (3, 5, 2)))
    np.testing.assert_array_equal(fine[1::2, 1::2, 1::2], fine[::2, ::2, ::2])


def test_section_shows_matrices_and_map() -> None:
    weights = affinities((1, 4, 3, 5, 2))
    image = np.random.default_rng(0).uniform(1, 2, (12, 20, 8)).astype(np.float32)
    maps = AttentionMaps(
        weights, 0.25, image, (3, 4, 5), rank_one_map(weights, (3, 4, 5), image.shape), (1.0, 1.0, 2.0)
    )
    section = attention_section(maps, "sub-01")
    assert "gamma = 0.25" in section.paragraphs[0]
    assert all(picture.png.startswith(b"\x89PNG") for picture in section.pictures)
    assert len(section.pictures) == 2

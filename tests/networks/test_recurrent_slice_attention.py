from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import RecurrentSliceAttention
from tests.helpers import assert_gradients_flow, features, with_open_gates

SHAPES = [(2, 4, 5, 7), (1, 4, 4, 3, 5), (2, 3, 1, 6, 2)]


def attention(shape: tuple[int, ...], **options: Any) -> RecurrentSliceAttention:
    torch.manual_seed(0)
    block = RecurrentSliceAttention(shape[1], len(shape) - 2, **options)
    with_open_gates(block)
    return block.double()


def test_equals_steps_over_named_axes() -> None:
    shape = SHAPES[1]
    block, z = attention(shape), features(*shape, dtype=torch.float64)
    y = block(z)
    equations = ("bchwd,bciwd->bhi", "bchwd,bchjd->bwj", "bchwd,bchwk->bdk")
    mixings = ("bhi,bciwd->bchwd", "bwj,bchjd->bchwd", "bdk,bchwk->bchwd")
    for equation, mixing, gamma in zip(equations, mixings, block.gamma, strict=True):
        affinity = torch.einsum(equation, block.theta(z), block.phi(z)).softmax(-1)
        z = z + gamma * torch.einsum(mixing, affinity, block.g(z))
    torch.testing.assert_close(y, z)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_step_mixes_along_its_axis_only(axis: int) -> None:
    """With affinities that no voxel has a say in, one voxel reaches its own line and nothing else."""
    block, x = attention(SHAPES[1]), features(*SHAPES[1], dtype=torch.float64)
    for parameter in (*block.theta.parameters(), *(block.gamma[i] for i in range(3) if i != axis)):
        torch.nn.init.zeros_(parameter)
    moved = x.clone()
    moved[0, :, 1, 2, 3] += 1
    changed = (block(moved) - block(x)).abs().sum((0, 1)) > 1e-9
    line = torch.zeros_like(changed)
    line[tuple(slice(None) if i == axis else index for i, index in enumerate((1, 2, 3)))] = True
    assert torch.equal(changed, line)


def test_equal_slices_stay_equal_and_gain_their_projection() -> None:
    block, x = attention((1, 4, 3, 3, 3)), features(1, 4, 1, 1, 1, dtype=torch.float64).repeat(1, 1, 3, 3, 3)
    expected = x
    for gamma in block.gamma:
        expected = expected + gamma * block.g(expected)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("axis", [2, 3, 4])
def test_permuting_slices_permutes_the_output(axis: int) -> None:
    block, x = attention(SHAPES[1]), features(*SHAPES[1], dtype=torch.float64)
    order = torch.randperm(x.shape[axis], generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(block(x.index_select(axis, order)), block(x).index_select(axis, order))


def test_order_of_steps_is_that_of_a_transposed_tensor() -> None:
    block, x = attention(SHAPES[1]), features(*SHAPES[1], dtype=torch.float64)
    reordered = attention(SHAPES[1], order=(2, 0, 1))
    torch.testing.assert_close(reordered(x), block(x.permute(0, 1, 4, 2, 3)).permute(0, 1, 3, 4, 2))
    assert list(reordered.attention_weights(x)) == ["d", "h", "w"]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_affinities_sum_to_one(shape: tuple[int, ...]) -> None:
    weights = attention(shape).attention_weights(features(*shape, dtype=torch.float64))
    assert list(weights) == list("hwd"[: len(shape) - 2])
    for affinity, n in zip(weights.values(), shape[2:], strict=True):
        assert affinity.shape == (shape[0], n, n)
        torch.testing.assert_close(affinity.sum(-1), torch.ones(shape[0], n, dtype=torch.float64))


def test_scaling_divides_logits_by_the_root_of_the_slice_length() -> None:
    block, x = attention((1, 4, 5, 7), scale="sqrt"), features(1, 4, 5, 7, dtype=torch.float64)
    logits = torch.einsum("bchw,bciw->bhi", block.theta(x), block.phi(x)) / (4 * 7) ** 0.5
    torch.testing.assert_close(block.attention_weights(x)["h"], logits.softmax(-1))


@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_gradients_reach_every_parameter(shape: tuple[int, ...]) -> None:
    assert_gradients_flow(attention(shape, scale="sqrt"), features(*shape, dtype=torch.float64))


@pytest.mark.parametrize(("spatial_dims", "n_parameters"), [(2, 787_970), (3, 787_971)])
def test_has_the_parameters_of_the_original(spatial_dims: int, n_parameters: int) -> None:
    with torch.device("meta"):
        block = RecurrentSliceAttention(512, spatial_dims)
    assert sum(p.numel() for p in block.parameters()) == n_parameters


@pytest.mark.parametrize(
    ("options", "message"),
    [({"spatial_dims": 1}, "got 1"), ({"scale": "n"}, "got 'n'"), ({"order": (0, 1, 1)}, r"got \(0, 1, 1\)")],
    ids=str,
)
def test_rejects_unknown_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecurrentSliceAttention(4, **options)

"""Tests of scripts.running.built_bundle."""

import json
from pathlib import Path

import pytest

from mri_attention.scripts.running.built_bundle import BuiltBundle, spatial_shape


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (["8*n", "8*n", "8*n"], (32, 32, 32)),
        (["16*n", 96], (32, 96)),
        (["2**p", "*"], (32, 32)),
        ([24, 24, 5], (24, 24, 5)),
    ],
)
def test_example_is_the_smallest_of_at_least_32_voxels(
    shape: list[int | str], expected: tuple[int, ...], tmp_path: Path
) -> None:
    (tmp_path / "configs").mkdir()
    metadata = {"network_data_format": {"inputs": {"image": {"spatial_shape": shape}}}}
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps(metadata))
    assert spatial_shape(shape, BuiltBundle(tmp_path).factors) == expected


def test_sizes_that_never_reach_32_voxels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    metadata = {"network_data_format": {"inputs": {"image": {"spatial_shape": ["n - n"]}}}}
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="gives no size of 32 or more"):
        _ = BuiltBundle(tmp_path).factors

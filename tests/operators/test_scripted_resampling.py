"""Tests of operators.scripted_resampling against the matrices that numpy and scipy make."""

from __future__ import annotations

import pytest
import torch

from mri_attention.operators.resampling import keys_matrix, resample_cubic, resample_spline, spline_matrix
from mri_attention.operators.scripted_resampling import keys_weights, resample_scripted, spline_weights

from ..helpers import features


@pytest.mark.parametrize(("n_in", "n_out"), [(7, 14), (5, 15), (9, 4), (1, 3), (6, 6)])
def test_weights_are_those_of_scipy(n_in: int, n_out: int) -> None:
    torch.testing.assert_close(spline_weights(n_in, n_out), torch.from_numpy(spline_matrix(n_in, n_out)))


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("n_in", "n_out", "step", "shift"), [(7, 14, 0.5, 0.5), (9, 4, 2.0, 0.5), (5, 15, 1 / 3, 0.0)])
def test_weights_are_those_of_cubic_convolution(
    n_in: int, n_out: int, step: float, shift: float, antialias: bool
) -> None:
    expected = torch.from_numpy(keys_matrix(n_in, n_out, step, antialias, shift))
    torch.testing.assert_close(keys_weights(n_in, n_out, step, antialias, shift), expected)


def test_images_are_those_of_eager_mode() -> None:
    x = features(1, 2, 5, 6, 7)
    for size in ([10, 12, 14], [3, 4, 5]):
        torch.testing.assert_close(resample_scripted(x, size, "spline"), resample_spline(x, size))
        torch.testing.assert_close(resample_scripted(x, size), resample_cubic(x, size))
    first_voxel = resample_scripted(x, [10, 12, 14], is_first_voxel=True)
    torch.testing.assert_close(first_voxel, resample_cubic(x, [10, 12, 14], grid="first_voxel"))


def test_other_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="by cubic or spline, not by linear"):
        resample_scripted(features(1, 1, 4, 4), [8, 8], "linear")
